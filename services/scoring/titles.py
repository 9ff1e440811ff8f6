"""Seniority and function as job titles tell them, lightly, in seven languages of Western Europe.

Words are compared without case and accents. What is not recognised is None: nobody is guessed into a class.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple


class Title(NamedTuple):
    """What a job title says."""

    seniority: str | None
    function: str | None


# Each word is a regular expression; `_` stands for a space. In order: the first class with a word that is found counts.
_SENIORITY: tuple[tuple[str, str], ...] = (
    (
        "junior",
        r"""intern trainee apprentice student working_student werkstudent\w* praktikant\w* azubi
        auszubildende\w* stagiaire alternante? becari[oa] tirocinante stagista estagiari[oa] junior""",
    ),
    (
        "assistant",
        r"""(executive|personal)_assistant assistant_to assistenz\w* assistente?_d\w+_(direction|direzione)""",
    ),
    (
        "founder",
        r"""(co_?)?founder founding_partner owner grunder(in)? mitgrunder(in)? inhaber(in)?
        (co_?)?fondat(eur|rice) (co_?)?fundador(a)? (co_?)?fondat(ore|rice) titolare oprichter eigenaar
        socio_fundador""",
    ),
    (
        "vp",
        r"""s?e?vp vice_president\w* vice_presidente? vizeprasident(in)?""",
    ),
    (
        "c_level",
        r"""c[efotmpir]o cdo chro ciso chief president geschaftsfuhr\w+ geschaftsfuehr\w+ vorstand\w* pdg
        president_directeur_general directeur_general directrice_generale director_general directora_general
        amministratore_delegato managing_director general_manager gerente_general consejer[oa]_delegad[oa]
        algemeen_directeur""",
    ),
    (
        "manager",
        r"""(team|projekt|schicht)leit\w+ gruppenleit\w+""",
    ),
    (
        "director",
        r"""director\w* head head_of directeur directrice direttor\w+ diretor\w* leiter(in)? \w+leiter(in)?
        bereichsleit\w+ abteilungsleit\w+ hoofd responsable_de_departement directie""",
    ),
    (
        "manager",
        r"""manager(in)? team_?lead(er)? lead supervisor gerente jefe jefa chef_de_\w+ capo responsabile
        responsable gestor(a)? coordinator coordinador(a)? koordinator(in)?""",
    ),
    (
        "senior",
        r"""senior sr principal staff""",
    ),
)

_FUNCTION: tuple[tuple[str, str], ...] = (
    (
        "revenue_operations",
        r"""rev(enue)?_?op(eration)?s sales_op(eration)?s marketing_op(eration)?s""",
    ),
    (
        "sales",
        r"""sales vertrieb\w* verkauf\w* vente\w* commercial\w* ventas vendite commerciale vendas verkoop
        account_(executive|manager) business_development cro revenue""",
    ),
    (
        "marketing",
        r"""marketing cmo growth demand_gen\w* brand communications? kommunikation content seo mercadeo""",
    ),
    (
        "finance",
        r"""financ\w* finanz\w* cfo controll(er|ing) account(ant|ing) buchhalt\w* comptab\w* treasur\w*
        contab\w*""",
    ),
    (
        "people",
        r"""hr human_resources people talent recruit\w* personal(leiter\w*|wesen|abteilung|chef\w*)? chro
        ressources_humaines rrhh recursos_humanos risorse_umane recursos""",
    ),
    (
        "procurement",
        r"""procurement purchas\w* buyer einkauf\w* einkaufer(in)? achats? acheteu(r|se) compras acquisti inkoop
        inkoper sourcing""",
    ),
    (
        "legal",
        r"""legal counsel lawyer attorney jurist(in)? recht\w* juridique avocate? compliance abogad[oa]""",
    ),
    (
        "security",
        r"""security ciso infosec sicherheit\w*""",
    ),
    (
        "data",
        r"""data analytics analyst daten\w* donnees datos dati machine_learning bi""",
    ),
    (
        "engineering",
        r"""engineer\w* developer software entwickl\w* programm\w* architect devops sre cto technolog\w*
        ingenieu\w* ingenier\w* developpeu\w* desarrollador\w* sviluppat\w* ontwikkelaar""",
    ),
    (
        "it",
        r"""it edv information_technology systems? sysadmin cio informatique informatica administrator""",
    ),
    (
        "product",
        r"""product produkt\w* cpo produit producto prodotto ux design\w*""",
    ),
    (
        "customer",
        r"""customer success support service_desk kundendienst kundenbetreu\w* client\w* atencion""",
    ),
    (
        "operations",
        r"""operations? ops coo logisti\w* supply_chain produktion\w* production betrieb\w* operaciones
        operazioni werk\w+""",
    ),
    (
        "general_management",
        r"""ceo owner (co_?)?founder president geschaftsfuhr\w+ geschaftsfuehr\w+ vorstand\w* managing_director
        general_manager pdg directeur_general directrice_generale director_general amministratore_delegato
        inhaber(in)? gerente_general""",
    ),
)


def _compiled(table: tuple[tuple[str, str], ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (name, re.compile(rf"\b(?:{'|'.join(words.split()).replace('_', ' ')})\b", re.ASCII)) for name, words in table
    )


_RANKS = _compiled(_SENIORITY)
_FIELDS = _compiled(_FUNCTION)
_BETWEEN = re.compile(r"[^a-z0-9]+")

SENIORITIES = ("founder", "c_level", "vp", "director", "manager", "senior", "staff", "junior")
"""What `person.seniority` may be."""

FUNCTIONS = (*(name for name, _ in _FUNCTION), "administration")
"""What `person.function` may be."""


@lru_cache(maxsize=20_000)
def read(job_title: str) -> Title:
    """What `job_title` says of its bearer."""
    words = _plain(job_title[:200])
    rank = next((name for name, pattern in _RANKS if pattern.search(words)), None)
    field = next((name for name, pattern in _FIELDS if pattern.search(words)), None)
    if rank == "assistant":
        return Title("staff", "administration")
    return Title(rank or ("staff" if field else None), field)


def _plain(text: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return _BETWEEN.sub(" ", bare).strip()
