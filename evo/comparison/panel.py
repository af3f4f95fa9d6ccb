"""One panel of a race: a picture, and under it who that is and how far it has come."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from evo.film.encode import Frame

_BAND, _TEXT, _FAINT = (22, 29, 39), (255, 255, 255), (158, 170, 184)
_LONGEST_NAME = 16


@dataclass(frozen=True)
class Standing:
    """What the band says. distance: metres, if the creature can leave its place. ending: why it stands still, if so."""

    method: str
    seed: int
    colour: str
    seconds: float
    earned: float
    distance: float | None
    ending: str | None


def draw_panel(picture: Frame, standing: Standing) -> Frame:
    """The picture [height, width, 3] uint8 with a band below it, [height + band, width, 3]; its height is even."""
    height, width, _ = picture.shape
    large = min(max(round(width / 21), 12), 26)
    small = round(0.78 * large)
    band = round(3.1 * large) // 2 * 2
    panel = Image.new("RGB", (width, height + band), _BAND)
    panel.paste(Image.fromarray(picture), (0, 0))
    if standing.ending is not None:
        _veil(panel, height, standing.ending, large)
    draw = ImageDraw.Draw(panel)
    big, fine = ImageFont.load_default(size=large), ImageFont.load_default(size=small)
    stripe = max(round(0.4 * large), 5)
    draw.rectangle((0, height, stripe - 1, height + band), fill=standing.colour)
    left, right = stripe + round(0.6 * large), width - round(0.6 * large)
    first, second = height + round(1.3 * large), height + round(2.55 * large)

    name = standing.method if len(standing.method) <= _LONGEST_NAME else f"…{standing.method[1 - _LONGEST_NAME :]}"
    draw.text((left, first), name, font=big, fill=_TEXT, anchor="ls")
    after = left + draw.textlength(name, font=big) + 0.6 * large
    draw.text((after, first), f"seed {standing.seed}", font=fine, fill=_FAINT, anchor="ls")
    draw.text((right, first), f"{standing.earned:,.0f}", font=big, fill=_TEXT, anchor="rs")
    draw.text((right, second), "return", font=fine, fill=_FAINT, anchor="rs")
    draw.text((left, second), f"{standing.seconds:.1f} s", font=fine, fill=_TEXT, anchor="ls")
    if standing.distance is not None:
        draw.text((left + 4.6 * small, second), f"{standing.distance:.1f} m", font=fine, fill=_TEXT, anchor="ls")
    return np.asarray(panel)


def _veil(panel: Image.Image, height: int, words: str, size: int) -> None:
    """Darken the picture and say in its middle why it stands still."""
    box = (0, 0, panel.width, height)
    panel.paste(Image.blend(panel.crop(box), Image.new("RGB", (panel.width, height), _BAND), 0.45), box)
    draw, font = ImageDraw.Draw(panel), ImageFont.load_default(size=size)
    middle, half = (panel.width / 2, 0.16 * height), 0.5 * draw.textlength(words, font=font) + 0.7 * size
    plate = (middle[0] - half, middle[1] - 0.85 * size, middle[0] + half, middle[1] + 0.85 * size)
    draw.rounded_rectangle(plate, radius=0.85 * size, fill=_BAND)
    draw.text(middle, words, font=font, fill=_TEXT, anchor="mm")
