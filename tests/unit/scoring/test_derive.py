import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring import titles
from services.scoring.derive import derived, email_kind


@pytest.mark.parametrize(
    ("email", "kind"),
    [
        ("ana@acme.example", "company"),
        ("Ana@GMAIL.com", "free"),
        ("info@gmail.com", "free"),
        ("info@acme.example", "role"),
        ("sales+fair@acme.example", "role"),
        ("informatics@acme.example", "company"),
        ("x@mailinator.com", "disposable"),
        ("info@eu.mailinator.com", "disposable"),
        ("no address", None),
        ("@acme.example", None),
        ("ana@", None),
    ],
)
def test_an_address_is_of_one_kind(email: str, kind: str | None) -> None:
    assert kind == email_kind(email)


@pytest.mark.parametrize(
    ("title", "seniority", "function"),
    [
        ("VP Sales", "vp", "sales"),
        ("Vice President, Product", "vp", "product"),
        ("Chief Financial Officer", "c_level", "finance"),
        ("CTO", "c_level", "engineering"),
        ("Geschäftsführerin", "c_level", "general_management"),
        ("Directrice générale", "c_level", "general_management"),
        ("Co-Founder & CEO", "founder", "general_management"),
        ("Head of IT", "director", "it"),
        ("Vertriebsleiterin", "director", "sales"),
        ("Leiter Einkauf", "director", "procurement"),
        ("Director of Revenue Operations", "director", "revenue_operations"),
        ("Teamleiter Vertrieb", "manager", "sales"),
        ("Gerente de Ventas", "manager", "sales"),
        ("Responsabile vendite", "manager", "sales"),
        ("Hoofd Inkoop", "director", "procurement"),
        ("Senior Data Analyst", "senior", "data"),
        ("Software Engineer", "staff", "engineering"),
        ("Werkstudent Marketing", "junior", "marketing"),
        ("Executive Assistant to the CEO", "staff", "administration"),
        ("Headhunter", None, None),
        ("社長", None, None),
        ("", None, None),
    ],
)
def test_a_job_title_tells_rank_and_function(title: str, seniority: str | None, function: str | None) -> None:
    assert (seniority, function) == titles.read(title)


@given(st.text(max_size=300))
def test_whatever_somebody_types_is_read_as_a_known_class_or_none(text: str) -> None:
    found = derived({"email": text, "job_title": text})

    assert found.get("seniority") in (None, *titles.SENIORITIES)
    assert found.get("function") in (None, *titles.FUNCTIONS)
    assert found.get("email_kind") in (None, "company", "free", "disposable", "role")


def test_nothing_follows_from_nothing() -> None:
    assert {} == derived({})
