"""How forms and platforms spell the names of fields. Compared without case, spaces and punctuation."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PUNCTUATION = re.compile(r"[\W_]+")


def plain(name: str) -> str:
    """`E-Mail`, `e_mail` and `e mail` are all `email`."""
    return _PUNCTUATION.sub("", name.lower())


def words(text: str) -> frozenset[str]:
    """The words of a list that is written as one text."""
    return frozenset(text.split())


def _table(**spellings: str) -> Mapping[str, str]:
    return {plain(word): name for name, words in spellings.items() for word in (name, *words.split())}


SUBJECT = _table(
    email="""mail emailaddress workemail work_email businessemail companyemail useremail youremail contactemail
    corporateemail correo correoelectronico emailadresse mailadresse courriel adressemail""",
    phone="""phonenumber telephone tel mobile mobilephone mobilephonenumber mobilenumber cell cellphone workphone
    workphonenumber businessphone companyphone userphone yourphone telefon telefonnummer handy telefono téléphone
    telephonenumber""",
    anonymous_id="anonymousid visitorid cookieid clientid deviceid hutk gaclientid",
    external_id="externalid userid customerid contactid personid memberid",
)

ATTRIBUTES = _table(
    first_name="firstname fname givenname forename yourfirstname vorname prénom prenom nombre",
    last_name="lastname lname surname familyname secondname yourlastname nachname nomdefamille apellido apellidos",
    full_name="fullname name yourname contactname customername username displayname ihrname",
    job_title="jobtitle title position role jobrole jobposition jobfunction yourrole funktion berufsbezeichnung poste",
    company="""companyname organization organisation organizationname organisationname business businessname employer
    account accountname firm workplace yourcompany firma firmenname unternehmen entreprise société societe empresa""",
    company_domain="companydomain domain domainname",
    employees="""employee employeecount numberofemployees numemployees noofemployees companysize companyheadcount
    companyemployeecount companyemployees
    headcount teamsize organizationsize organisationsize howmanyemployees howmanyemployeesdoyouhave
    howmanypeopleworkatyourcompany sizeofcompany mitarbeiter mitarbeiterzahl anzahlmitarbeiter""",
    industry="sector companyindustry branche secteur industria",
    country="countrycode countryname countryregion land pays país pais",
    region="state province stateprovince stateregion county bundesland",
    city="town locality ort stadt ville ciudad",
    postcode="postalcode zip zipcode postal postleitzahl plz codepostal",
    language="lang locale preferredlanguage sprache",
    website="websiteurl companywebsite companyurl web homepage webseite",
)

CAMPAIGN: Mapping[str, str] = {
    "utmsource": "source",
    "utmmedium": "medium",
    "utmcampaign": "name",
    "utmterm": "term",
    "utmcontent": "content",
} | dict.fromkeys(
    ("clickid", "gclid", "wbraid", "gbraid", "fbclid", "msclkid", "ttclid", "lifatid", "twclid"), "click_id"
)

CONSENT = _table(
    marketing_email="""consent optin marketingoptin emailoptin marketingconsent consenttomarketing newsletter
    newsletteroptin subscribe acceptsmarketing gdpr gdprconsent agreetomarketing einwilligung""",
    phone="phoneconsent phoneoptin maycall canwecallyou callmeback",
    sms="smsconsent smsoptin",
)

PAGE = frozenset(("url", "pageurl", "pageuri", "page", "landingpage", "landingurl", "referrer", "path"))

TRUE = frozenset(("true", "yes", "on", "1", "y", "t", "ja", "oui", "si", "sí", "checked", "granted", "accepted"))
FALSE = frozenset(("false", "no", "off", "0", "n", "f", "nein", "non", "", "denied", "declined"))
