"""What sends the batches of a role, and whose they are."""

from collections.abc import Callable
from dataclasses import dataclass

from autoevol.experiments.models.batches.provider import BatchProvider
from autoevol.experiments.models.batches.record import BatchRecord
from autoevol.experiments.models.limits.stop import StopSignal
from autoevol.experiments.models.transports.dialect import Dialect
from autoevol.experiments.models.transports.secrets import Secret


@dataclass(frozen=True, slots=True)
class BatchPlace:
    """Whose calls go as batches.

    Attributes:
        role: Of the run.
        model: For messages.
        identity: Of the model, as ledger keys hold it.
        secret: The key, which a reply may repeat.
    """

    role: str
    model: str
    identity: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class BatchTools:
    """What sends batches and remembers them.

    Attributes:
        provider: Takes the batches.
        dialect: Of the endpoint; the provider's lines are in it.
        record: Of the run's batches.
        stop_signal: Ends every wait; batches at the provider go on.
        say: Takes a line for people.
    """

    provider: BatchProvider
    dialect: Dialect
    record: BatchRecord
    stop_signal: StopSignal
    say: Callable[[str], None]
