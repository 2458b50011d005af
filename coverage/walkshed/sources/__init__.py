"""The outside world comes in here: every source turns what it reads into one City, the only input the plan knows."""
