"""The system's limit on open files: a connection is one."""

import sys

from autoevol.program.errors import ConfigError

RESERVED = 128
"""Open files beside the connections: the ledger, the run's files, MLflow's store, libraries."""


FILES_OF_A_LEDGER = 3
"""Open files of another ledger: SQLite's file, its log, and the log's index."""


def need_open_files(connections: int, files: int = 0) -> None:
    """Make sure that so many connections may be open at once.

    Args:
        connections: To models.
        files: Further open files.

    Raises:
        ConfigError: The limit is too small, and this process may not raise it that far.
    """
    if sys.platform == "win32":  # it has no such limit
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + files + RESERVED
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    # The soft limit is a default for programs that cannot handle many files; this one can.
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise ConfigError(
            "models: concurrency",
            f"{connections} calls at once need {needed} open files, and the system allows {hard} "
            "(ulimit -n); set a smaller concurrency, or raise the limit",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
