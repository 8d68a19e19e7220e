"""Who a client is, detail by detail: what each is called, and how a change of one reads."""

from dataclasses import dataclass

from core.words.language import LANGUAGES, N_, t
from core.words.terms import Term


class ClientDetail(Term):
    """Something that is known of who a client is, and can be edited."""

    NAME = "name", N_("Name")
    EMAIL = "email", N_("E-mail")
    CONTACT_NAME = "contact_name", N_("Contact")
    LANGUAGE = "language", N_("Language")
    COUNTRY = "country", N_("Country")
    COMPANY_NUMBER = "company_number", N_("Company number")
    VAT_NUMBER = "vat_number", N_("VAT number")
    EXTERNAL_REFERENCE = "external_reference", N_("External reference")

    def of(self, holder: object) -> str:
        """This detail in anything that has all of them; blank when it is not known."""
        value = getattr(holder, self.value)
        return "" if value is None else str(value)

    def text(self, value: str) -> str:
        """A value of this detail as it is read: a language by its name, a blank as a word."""
        if self is ClientDetail.LANGUAGE:
            return LANGUAGES.get(value, value)
        return value or t("none")


@dataclass(frozen=True, slots=True)
class DetailChange:
    """A detail that was changed, before and after."""

    what: ClientDetail
    before: str
    after: str

    @property
    def label(self) -> str:
        """E-mail: a@example.com → b@example.com, in the reader's language."""
        before, after = self.what.text(self.before), self.what.text(self.after)
        return t("{setting}: {before} → {after}", setting=self.what, before=before, after=after)
