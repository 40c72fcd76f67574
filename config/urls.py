from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularSwaggerSplitView

from accounts.views.email import OwnEmailView
from config import health, installing
from config import help as help_pages
from config.schema import SchemaView

# The admin has no door of its own: one signs in where everybody does.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("manifest.webmanifest", installing.manifest, name="manifest"),
    path("sw.js", installing.service_worker, name="service-worker"),
    path("offline/", installing.offline, name="offline"),
    path("metrics", health.metrics, name="metrics"),
    path("help/", help_pages.help_page, name="help"),
    path("help/<slug:name>/", help_pages.help_page, name="help-page"),
    path("admin/", admin.site.urls),
    path("accounts/", include([path("email/", OwnEmailView.as_view(), name="account_email")])),
    path("accounts/", include("allauth.urls")),
    path("language/", set_language, name="set_language"),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="api_docs.html"),
        name="docs",
    ),
    path("api/", include("market.api.urls")),
    path("api/", include("accounts.api.urls")),
    path("api/", include("journal.api.urls")),
    path("api/", include("alerts.api.urls")),
    path("", include("alerts.urls")),
    path("api/", include("trading.api.urls")),
    path("", include("journal.urls")),
    path("", include("trading.urls")),
    path("", include("accounts.urls")),
    path("", include("market.urls")),
]

handler400 = "config.errors.bad_request"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
