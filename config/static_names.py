"""Static files under names that say what is in them, so that a browser may keep them for good."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class HashedNames(ManifestStaticFilesStorage):
    """`css/app.css` is served as `css/app.<hash>.css`. What a module imports and a stylesheet names
    is led to such names too, so that no page mixes two versions of the scripts.

    Where nothing was collected (tests, commands), names stay as they are. Plain names are served
    as well: the worker that answers without a network and the page of a broken server use them.
    """

    support_js_module_import_aggregation = True
    # One pass settles the names of one level of imports.
    max_post_process_passes = 20

    def stored_name(self, name: str) -> str:
        hashed: dict[str, str] = self.hashed_files
        return hashed.get(self.hash_key(self.clean_name(name)), name)
