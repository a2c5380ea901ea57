"""In a checkout `python -m experiments` is `python -m autoevol`."""

from autoevol.__main__ import main

if __name__ == "__main__":
    main()
