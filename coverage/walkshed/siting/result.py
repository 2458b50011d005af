"""What comes back from the siting engine: what to build, what it gains, and how sure that is."""

from dataclasses import dataclass, field
from typing import Literal

from walkshed.errors import Fault, InfeasibleError
from walkshed.words import Lang, say

Status = Literal["proven", "gap", "time_limit", "infeasible"]
Measure = Literal["people", "metres", "sites", "money", "share"]
OWN_VALUE = ("phases", "capacitated_cover", "backup_cover")  # their value is not the people within reach
LEAST_GAP = 1e-4  # shown for a smaller one: what is open never reads as 0.00 %
CLOSE = 1e-6  # value and bound closer than this share are called equal


@dataclass(frozen=True)
class Siting:
    """Where to build, and the bound that says how much better any other plan could be.

    Attributes
    ----------
    model : which question was asked, such as `max_cover`
    chosen : ids of the options to build, in the order that gains most first
    people_gained : people each adds to those before it, in that order
    people : people served in all, by outlets that stand and by the chosen (weighted as the problem weighs them)
    people_before : of these, served by outlets that stand
    value, bound : in `measure`; no plan under these rules has a better value than `bound`
    status : `proven`, `gap` (the search ended), `time_limit` (it was ended) or `infeasible` (no plan keeps the rules)
    conflict : for an infeasible question the smallest set of rules that contradict each other
    notes : things to tell that are no faults, such as fewer sites built than allowed
    """

    model: str
    chosen: tuple[str, ...]
    people_gained: tuple[float, ...]
    people: float
    people_before: float
    value: float
    bound: float
    status: Status
    measure: Measure = "people"
    conflict: tuple[Fault, ...] = ()
    notes: tuple[Fault, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @classmethod
    def nothing_asked(cls) -> "Siting":
        """The answer to a scenario that proposes nothing."""
        return cls("none", (), (), 0.0, 0.0, 0.0, 0.0, "proven")

    @property
    def gap(self) -> float:
        """How far value and bound are apart, as a share of the value; 0 where proven."""
        return 0.0 if self.value == self.bound else abs(self.bound - self.value) / max(abs(self.value), 1e-9)

    def status_text(self, lang: Lang = "en") -> str:
        """The status in a word or two, such as `gap 0.06 %`."""
        return say(f"siting.status_{self.status}", lang, gap=max(self.gap, LEAST_GAP))

    def sentence(self, lang: Lang = "en") -> str:
        """Say in one sentence what is served and what could be at most."""
        if self.status == "infeasible":
            return "\n".join([say("siting.infeasible", lang), *(fault.text(lang) for fault in self.conflict)])
        values = {"sites": len(self.chosen), "people": self.people, "value": self.value, "bound": self.bound}
        proof = "proven" if self.status == "proven" else "open"
        about = self.model if self.model in OWN_VALUE else self.measure
        text = say(f"siting.{about}_{proof}", lang, **values, gap=max(self.gap, LEAST_GAP))
        return text + (say("siting.stopped", lang) if self.status == "time_limit" else "")

    def checked(self) -> "Siting":
        """Return the result, or raise what makes the question infeasible.

        Raises
        ------
        InfeasibleError
            With the rules that contradict each other.
        """
        if self.status == "infeasible":
            raise InfeasibleError(list(self.conflict))
        return self


def status_of(value: float, bound: float, *, stopped: bool) -> Status:
    """Name how sure a value is."""
    if abs(bound - value) <= CLOSE * max(1.0, abs(value)):
        return "proven"
    return "time_limit" if stopped else "gap"
