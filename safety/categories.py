"""The hazards that a gate can name, each with the words that an asker gets to read.

The first thirteen follow the hazard taxonomy of MLCommons AILuminate 1.0 as Llama Guard 3 numbers
it (S1 to S13). Its S14, code interpreter abuse, has no meaning for a video and is left out. The
rest are what neither taxonomy covers and a video generator needs.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Category(StrEnum):
    """A kind of harm. Policies name these values; records keep them for good."""

    VIOLENT_CRIMES = "violent_crimes"
    NONVIOLENT_CRIMES = "nonviolent_crimes"
    SEX_CRIMES = "sex_crimes"
    CHILD_SEXUAL_EXPLOITATION = "child_sexual_exploitation"
    DEFAMATION = "defamation"
    SPECIALIZED_ADVICE = "specialized_advice"
    PRIVACY = "privacy"
    INTELLECTUAL_PROPERTY = "intellectual_property"
    INDISCRIMINATE_WEAPONS = "indiscriminate_weapons"
    HATE = "hate"
    SELF_HARM = "self_harm"
    SEXUAL_CONTENT = "sexual_content"
    ELECTIONS = "elections"
    GRAPHIC_VIOLENCE = "graphic_violence"
    PUBLIC_FIGURE_DEEPFAKE = "public_figure_deepfake"
    NON_CONSENSUAL_INTIMATE = "non_consensual_intimate"
    DISINFORMATION = "disinformation"
    PROTECTED_BRAND = "protected_brand"
    FLASHING = "flashing"

    @property
    def hazard_id(self) -> str | None:
        """The number in the MLCommons taxonomy, or None for one of ours."""
        return _WORDS[self].hazard_id

    @property
    def description(self) -> str:
        """One sentence: what falls under it."""
        return _WORDS[self].description

    @property
    def change(self) -> str:
        """One sentence for the asker: what to change. It never names a matched word."""
        return _WORDS[self].change


@dataclass(frozen=True, slots=True)
class _Words:
    hazard_id: str | None
    description: str
    change: str


_WORDS = MappingProxyType(
    {
        Category.VIOLENT_CRIMES: _Words(
            "S1",
            "Shows, praises or instructs in killing, torture, terror or assault.",
            "Leave out the attack on people, or show its place and consequence without the act.",
        ),
        Category.NONVIOLENT_CRIMES: _Words(
            "S2",
            "Shows how to, or invites to, make drugs, steal, defraud, traffic or break in.",
            "Leave out how the crime is done.",
        ),
        Category.SEX_CRIMES: _Words(
            "S3",
            "Shows or invites sexual assault, trafficking or harassment.",
            "Leave out the sexual violence.",
        ),
        Category.CHILD_SEXUAL_EXPLOITATION: _Words(
            "S4",
            "Brings a minor together with sexual content.",
            "A scene with anyone who may be a minor must hold nothing sexual; if all are adults, "
            "say so and leave out every word for a younger age.",
        ),
        Category.DEFAMATION: _Words(
            "S5",
            "States something false about a real person that harms their name.",
            "Leave out the real person, or what is said about them.",
        ),
        Category.SPECIALIZED_ADVICE: _Words(
            "S6",
            "Gives medical, legal or financial advice that could harm whoever follows it.",
            "Leave out the advice.",
        ),
        Category.PRIVACY: _Words(
            "S7",
            "Reveals private facts about a real person.",
            "Leave out what identifies the person.",
        ),
        Category.INTELLECTUAL_PROPERTY: _Words(
            "S8",
            "Copies a protected work or character.",
            "Describe a figure or a style of your own in place of the protected one.",
        ),
        Category.INDISCRIMINATE_WEAPONS: _Words(
            "S9",
            "Shows how to make or use explosives, chemical, biological, radiological or nuclear "
            "weapons.",
            "Leave out how the weapon is made or used.",
        ),
        Category.HATE: _Words(
            "S10",
            "Attacks or demeans people for what they are, or honours those who did.",
            "Show the people without contempt, and leave out the signs of hate.",
        ),
        Category.SELF_HARM: _Words(
            "S11",
            "Shows or encourages suicide, self-injury or disordered eating.",
            "Leave out the act; if this is about you, please talk to someone you trust or to a "
            "local helpline.",
        ),
        Category.SEXUAL_CONTENT: _Words(
            "S12",
            "Shows nudity or sexual acts.",
            "Leave out nudity and sexual acts, or describe the people clothed.",
        ),
        Category.ELECTIONS: _Words(
            "S13",
            "Misleads about where, when or how to vote, or about a result.",
            "Leave out the claim about the vote.",
        ),
        Category.GRAPHIC_VIOLENCE: _Words(
            None,
            "Shows blood, wounds, mutilation or corpses in detail.",
            "Leave out wounds, blood and bodies, or keep them out of sight.",
        ),
        Category.PUBLIC_FIGURE_DEEPFAKE: _Words(
            None,
            "Shows a real, known person doing what they did not do.",
            "Describe a person who does not exist.",
        ),
        Category.NON_CONSENSUAL_INTIMATE: _Words(
            None,
            "Undresses or sexualises a real person, or shows intimacy that was filmed in secret.",
            "Leave out the intimate scene, and anyone who did not agree to it.",
        ),
        Category.DISINFORMATION: _Words(
            None,
            "Stages an event that did not happen as if it were news.",
            "Leave out what makes the scene look like a report of a real event.",
        ),
        Category.PROTECTED_BRAND: _Words(
            None,
            "Shows a protected brand or its signs.",
            "Describe the product without its brand.",
        ),
        Category.FLASHING: _Words(
            None,
            "Flashes in a way that can trigger a seizure.",
            "Ask for steady light.",
        ),
    }
)
