"""The words of the trade: terms with their labels, the settings, the details of a client, every refusal, the
reader's language, and text from people. Everything else stands on it; it knows no database and no browser."""

from core.words.alphabets import odd_letters
from core.words.choice_errors import (
    AddOnsNotOffered,
    ChoiceRefused,
    MissingSetting,
    NoCatalogue,
    NoPrice,
    NothingToAdopt,
    RetiredChosen,
    RetiredDefaults,
    UnknownChoice,
)
from core.words.client_errors import (
    AlreadyClient,
    ArchivedClient,
    ClientNotFound,
    ForgottenClient,
    InvitationNotPending,
    LinkExpired,
    LinkRefused,
    LinkRevoked,
    LinkUnknown,
    LinkUsed,
    NotArchived,
    OfferChanged,
    StillInvited,
    TooManyWrongLinks,
)
from core.words.currency import currency_refusal
from core.words.database_errors import (
    DatabaseAway,
    DatabaseBusy,
    DatabaseFailed,
    DatabaseFull,
    DatabaseReadOnly,
    DatabaseReplaced,
    DatabaseSlow,
    DatabaseUnreadable,
    SavedOrNot,
    TablesMissing,
    TablesNewer,
    TablesOfAnother,
    TablesOlder,
    TablesRefused,
)
from core.words.details import ClientDetail, DetailChange
from core.words.errors import (
    BadInput,
    BillingError,
    DemoRefused,
    NotAllowed,
    SignInEnded,
    StaleDefaults,
    StaleDetails,
    StaleError,
    StaleMember,
    StaleMessage,
    StaleResponsible,
    StaleSubscription,
)
from core.words.language import (
    CLIENT_LANGUAGES,
    LANGUAGES,
    N_,
    Money,
    best_language,
    day,
    end_of_day,
    language,
    listed,
    local_day,
    moment,
    nt,
    number,
    shown,
    speak,
    spoken,
    t,
)
from core.words.member_errors import (
    AlreadyMember,
    InactiveMember,
    LastAdministrator,
    MemberNotFound,
    OwnAccess,
    ResponsibleAmbiguous,
    ResponsibleRefused,
    ResponsibleUnknown,
    ResponsibleWithoutAccess,
    SuccessorMissing,
)
from core.words.settings import (
    LISTED_SETTINGS,
    BillingPeriod,
    BillingSettings,
    Overrides,
    Payer,
    Setting,
    Source,
)
from core.words.terms import (
    ActivityKind,
    ClientStatus,
    DeliveryStatus,
    InvitationStatus,
    MemberFact,
    Origin,
    Role,
    SignInKind,
    Term,
)
from core.words.text import (
    CONTROL_CHARACTERS,
    LONGEST_NOTE,
    TOO_LONG,
    can_be_seen,
    fold,
    is_showable,
    note_text,
    one_line,
)
