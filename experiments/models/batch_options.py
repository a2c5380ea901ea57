"""What a config says of the batches of a role."""

from dataclasses import dataclass

from autoevol.program.bounds import Count, Positive, Share


@dataclass(frozen=True)  # no slots: pydantic reads defaults off the class, where slots hide them
class BatchOptions:
    """How calls of the bulk phases go to the provider as batches.

    Attributes:
        max_requests: Most calls in a batch; providers allow 50,000 or 100,000.
        max_wait: Seconds without a further call after which those that wait are sent.
        min_rows: Fewer calls than these are made one by one, at once.
        poll: Seconds between two looks at a batch.
        price_share: Share of the price of a single call.
        keep_uploads: Leave requests and results at the provider once the results are here.
    """

    max_requests: Count = 10_000
    max_wait: Positive = 30.0
    min_rows: Count = 100
    poll: Positive = 30.0
    price_share: Share = 0.5
    keep_uploads: bool = False
