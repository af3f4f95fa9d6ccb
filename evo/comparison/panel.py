"""One panel of a race: a picture, under a band that names the method and shows its progress."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from evo.visualize.encoding import Frame

_BAND, _TEXT, _FAINT = (22, 29, 39), (255, 255, 255), (158, 170, 184)
_LONGEST_NAME = 16


@dataclass(frozen=True)
class Standing:
    """Contents of the band.

    distance: None where the creature cannot leave its place. ending: why it stands still, or None.
    """

    method: str
    seed: int
    colour: str
    time: str
    earned: str
    distance: str | None
    ending: str | None


def draw_panel(picture: Frame, standing: Standing) -> Frame:
    """Return the picture [height, width, 3] uint8 under a band, [band + height, width, 3]; the band's height is even.

    The band is above, because a player's controls cover the bottom.
    """
    height, width, _ = picture.shape
    large = min(max(round(width / 18), 12), 28)
    small = round(0.78 * large)
    band = round(3.1 * large) // 2 * 2
    panel = Image.new("RGB", (width, height + band), _BAND)
    shown = Image.fromarray(picture)
    panel.paste(shown if standing.ending is None else _veil(shown, standing.ending, large), (0, band))
    draw = ImageDraw.Draw(panel)
    big, fine = ImageFont.load_default(size=large), ImageFont.load_default(size=small)
    stripe = max(round(0.4 * large), 5)
    draw.rectangle((0, 0, stripe - 1, band - 1), fill=standing.colour)
    left, right = stripe + round(0.6 * large), width - round(0.6 * large)
    first, second = round(1.3 * large), round(2.55 * large)

    name = standing.method if len(standing.method) <= _LONGEST_NAME else f"…{standing.method[1 - _LONGEST_NAME :]}"
    draw.text((left, first), name, font=big, fill=_TEXT, anchor="ls")
    after = left + draw.textlength(name, font=big) + 0.6 * large
    draw.text((after, first), f"seed {standing.seed}", font=fine, fill=_FAINT, anchor="ls")
    draw.text((right, first), standing.earned, font=big, fill=_TEXT, anchor="rs")
    draw.text((right, second), "return", font=fine, fill=_FAINT, anchor="rs")
    draw.text((left, second), standing.time, font=fine, fill=_TEXT, anchor="ls")
    if standing.distance is not None:
        draw.text((left + 4.6 * small, second), standing.distance, font=fine, fill=_TEXT, anchor="ls")
    return np.asarray(panel)


def _veil(picture: Image.Image, words: str, size: int) -> Image.Image:
    """Return the picture darkened, with the reason why it stands still."""
    veiled = Image.blend(picture, Image.new("RGB", picture.size, _BAND), 0.45)
    draw, font = ImageDraw.Draw(veiled), ImageFont.load_default(size=size)
    x, y, half = picture.width / 2, 0.16 * picture.height, 0.5 * draw.textlength(words, font=font) + 0.7 * size
    draw.rounded_rectangle((x - half, y - 0.85 * size, x + half, y + 0.85 * size), radius=0.85 * size, fill=_BAND)
    draw.text((x, y), words, font=font, fill=_TEXT, anchor="mm")
    return veiled
