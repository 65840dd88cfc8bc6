"""``python -m contribd``."""

from contribd.cli import main

if __name__ == "__main__":
    main()
