"""What happens elsewhere and concerns trading: imported when the apps are ready."""

from accounts import changes, privacy
from trading.services import leaving, switching

changes.register(switching.fall)
privacy.register_refusal(leaving.why_not_yet)
