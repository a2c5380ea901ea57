"""Run AutoEvol: `python -m autoevol`, or `autoevol`."""

import os

# Before anything imports litellm: offline, its fetch of a price list blocks MLflow's UI.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")


def main() -> None:
    """Hand over to the command line."""
    from autoevol.experiments.cli.app import main as command_line

    command_line()


if __name__ == "__main__":
    main()
