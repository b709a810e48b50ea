"""Stories of the official SDK at the double of Dropbox; one is named on the command line."""

import os
import sys
from urllib.parse import urlsplit

import requests

# The SDK always speaks https to three hosts; here all are one, without TLS.
BASE = urlsplit(os.environ["DROPBOX_DOUBLE"])
for name in ("DROPBOX_API_HOST", "DROPBOX_API_CONTENT_HOST", "DROPBOX_API_NOTIFY_HOST"):
    os.environ[name] = BASE.netloc

import dropbox  # noqa: E402
from dropbox import exceptions, files  # noqa: E402
from dropbox.files import WriteMode  # noqa: E402


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


def upload_and_download():
    dbx = client()
    content = b"two, three, five"
    written = dbx.files_upload(content, "/Homework/Prime.txt")
    assert isinstance(written, files.FileMetadata)
    assert written.path_lower == "/homework/prime.txt"
    assert written.path_display == "/Homework/Prime.txt"
    assert written.name == "Prime.txt" and written.size == len(content)
    assert written.content_hash == dropbox.content_hash.content_hash(content)
    metadata, response = dbx.files_download("/HOMEWORK/prime.TXT")
    assert response.content == content and metadata == written
    assert dbx.files_get_metadata("/homework/prime.txt") == written
    assert isinstance(dbx.files_get_metadata("/homework"), files.FolderMetadata)
    by_id, _ = dbx.files_download(written.id)
    assert by_id.rev == written.rev


if __name__ == "__main__":
    story = sys.argv[1]
    globals()[story]()
    print(f"{story}: done")
