"""A made-up town to look at and to try things in, made through the same commands as a real one."""

from services.town.building import TownToken, TownTokens, build

__all__ = ["TownToken", "TownTokens", "build"]
