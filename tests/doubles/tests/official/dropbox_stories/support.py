"""What the stories share: the SDK at the double, and what it says."""

import os
import time
from urllib.parse import urlsplit

import requests

# The SDK speaks https to the hosts that it is told, before it is imported; here they are without TLS.
BASE = os.environ["DROPBOX_DOUBLE"]
for name in ("DROPBOX_API_HOST", "DROPBOX_API_CONTENT_HOST", "DROPBOX_API_NOTIFY_HOST"):
    os.environ[name] = urlsplit(os.environ[name]).netloc

import dropbox  # noqa: E402
from dropbox import exceptions  # noqa: E402


class Plain(requests.Session):
    """Passes on over http what is meant for https."""

    def request(self, method, url, **options):
        return super().request(method, url.replace("https://", "http://", 1), **options)


def client(**options):
    options.setdefault("oauth2_access_token", os.environ["DROPBOX_TOKEN"])
    return dropbox.Dropbox(session=Plain(), **options)


def raises(kind, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except kind as error:
        return error
    raise AssertionError(f"{call.__name__} should have failed with {kind.__name__}")


def refused(call, *arguments, **options):
    """What an endpoint refused with: the union of its errors."""
    return raises(exceptions.ApiError, call, *arguments, **options).error


def everything(dbx, path="", **options):
    """All entries of a list, and the last cursor."""
    page = dbx.files_list_folder(path, **options)
    entries = list(page.entries)
    while page.has_more:
        page = dbx.files_list_folder_continue(page.cursor)
        entries += page.entries
    return entries, page.cursor


def news(dbx, cursor):
    """All entries behind a cursor, and the last cursor."""
    entries, has_more = [], True
    while has_more:
        page = dbx.files_list_folder_continue(cursor)
        entries, cursor, has_more = entries + page.entries, page.cursor, page.has_more
    return entries, cursor


def patiently(check):
    """The first answer that is not `in_progress`."""
    for _ in range(200):
        answer = check()
        if not answer.is_in_progress():
            return answer
        time.sleep(0.02)
    raise AssertionError("the job goes on and on")
