"""What happens elsewhere and concerns trading: imported when the apps are ready."""

from accounts import changes
from trading.services import switching

changes.register(switching.fall)
