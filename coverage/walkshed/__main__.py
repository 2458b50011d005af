"""`python -m walkshed` is `walkshed`."""

from walkshed.cli import main

if __name__ == "__main__":
    main()
