"""Run AutoEvol: `python -m autoevol`, or `autoevol`."""


def main() -> None:
    """Hand over to the command line."""
    from autoevol.experiments.cli.app import main as command_line

    command_line()


if __name__ == "__main__":
    main()
