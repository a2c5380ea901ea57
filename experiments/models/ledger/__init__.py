"""The ledger: every finished call of a run, on disk before its reply is used.

A resumed run asks the same questions and finds the answers here, so a finished call is paid once.
Replies that were paid and not used (the loser of a hedge, an empty reply) are stored beside them,
so the ledger's sums are the run's bill. Calls that another run has paid are borrowed: they are
stored here too, and are no part of the bill.

ledger: finished calls by key
database: the file, its tables and versions
commits: the rows of many calls in one transaction
sums: what calls used, by role
"""

from autoevol.experiments.models.ledger.database import UNCLEAN, VERSION, open_database
from autoevol.experiments.models.ledger.ledger import (
    DiscardedReply,
    Ledger,
    LedgerSettings,
    ledger_key,
)
from autoevol.experiments.models.ledger.sums import Bill, Sums, by_role, read_bill

__all__ = [
    "UNCLEAN",
    "VERSION",
    "Bill",
    "DiscardedReply",
    "Ledger",
    "LedgerSettings",
    "Sums",
    "by_role",
    "ledger_key",
    "open_database",
    "read_bill",
]
