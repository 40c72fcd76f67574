"""Screenshots on a trade: decoded, limited, and encoded anew, so that nothing else is kept."""

import io
import warnings
from typing import IO, Any

from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from accounts.models import User
from journal.books.notes import refs_of
from journal.models import Screenshot, Trade

MOST_BYTES = 8_000_000
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 2400
MOST_A_TRADE = 12
FORMATS = ["PNG", "JPEG", "WEBP", "GIF"]


class BadPicture(ValueError):
    """What was expected, for the user."""


def add(*, user: User, trade: Trade, file: Any) -> Screenshot:
    """Raises BadPicture."""
    if file is None:
        raise BadPicture(_("Expected a picture."))
    if file.size > MOST_BYTES:
        raise BadPicture(_("Expected a picture of at most 8 MB."))
    if Screenshot.objects.filter(user=user, trade_key=trade.key).count() >= MOST_A_TRADE:
        raise BadPicture(_("Expected at most 12 pictures on a trade."))
    image = _decoded(file)
    packed = io.BytesIO()
    image.save(packed, "WEBP", quality=88, method=4)
    return Screenshot.objects.create(
        user=user,
        trade_key=trade.key,
        fills=refs_of(trade),
        image=packed.getvalue(),
        width=image.width,
        height=image.height,
    )


def _decoded(file: IO[bytes]) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file, formats=FORMATS)
            if image.width * image.height > MOST_PIXELS:
                raise BadPicture(_("Expected a picture of at most 40 million pixels."))
            image.load()
    except BadPicture:
        raise
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise BadPicture(_("Expected a PNG, JPEG, WebP or GIF that can be read.")) from error
    plain = Image.new("RGB", image.size)  # a new one: no metadata comes with it
    plain.paste(image.convert("RGB"))
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return plain
