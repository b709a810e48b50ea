"""Stories of Google's own client at the double of Drive; one is named on the command line."""

import hashlib
import io
import json
import os
import sys

from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaInMemoryUpload, MediaIoBaseDownload, MediaIoBaseUpload, build_http

BASE = os.environ["DRIVE_DOUBLE"]
BINARY = bytes(range(256)) * 3 + b"\r\n--boundary\r\n\x00\xff\xfe"


def client(token=None):
    """What the client ships of Drive v3, at another address."""
    document = json.loads(get_static_doc("drive", "v3"))
    assert document["rootUrl"] == "https://www.googleapis.com/"
    document["rootUrl"] = f"{BASE}/"
    document["baseUrl"] = f"{BASE}/drive/v3/"
    credentials = Credentials(token or os.environ["DRIVE_TOKEN"])
    http = AuthorizedHttp(credentials, http=build_http())
    return build_from_document(document, http=http)


def refused(request):
    """Status, reason and message of a refusal."""
    try:
        request.execute()
    except HttpError as error:
        inner = json.loads(error.content)["error"]
        assert inner["code"] == error.resp.status
        assert inner["message"] == inner["errors"][0]["message"] or error.resp.status == 401
        return error.resp.status, inner["errors"][0]["reason"], inner["message"]
    raise AssertionError("should have been refused")


def new_ids(drive, count=10, space="drive"):
    answer = drive.files().generateIds(count=count, space=space, type="files").execute()
    assert answer["kind"] == "drive#generatedIds" and answer["space"] == space
    assert len(set(answer["ids"])) == count
    return answer["ids"]


def create(drive, content=BINARY, fields="*", **body):
    media = MediaInMemoryUpload(content, mimetype="application/octet-stream")
    return drive.files().create(body=body, media_body=media, fields=fields)


def download(drive, id):
    out = io.BytesIO()
    loader = MediaIoBaseDownload(out, drive.files().get_media(fileId=id))
    done = False
    while not done:
        _, done = loader.next_chunk()
    return out.getvalue()


def files_are_made_by_id_once():
    drive = client()
    (id,) = new_ids(drive, 1)
    made = create(drive, id=id, name="slot").execute()
    assert made["id"] == id and made["name"] == "slot"
    assert made["size"] == str(len(BINARY)) and made["version"].isdigit()
    assert made["md5Checksum"] == hashlib.md5(BINARY).hexdigest()
    assert made["spaces"] == ["drive"] and made["trashed"] is False
    assert download(drive, id) == BINARY
    again = refused(create(drive, b"other", id=id, name="slot"))
    assert again == (409, "fileIdInUse", "A file already exists with the provided ID.")
    assert download(drive, id) == BINARY
    # Names are not unique, ids are issued.
    assert create(drive, name="slot").execute()["id"] != id
    assert refused(create(drive, id="1nobodyissuedthis", name="x"))[0] == 400
    (hidden,) = new_ids(drive, 1, "appDataFolder")
    assert refused(create(drive, id=hidden, name="x"))[0] == 400
    assert len(new_ids(drive, 1000)) == 1000
    assert refused(drive.files().generateIds(count=1001))[0] == 400


def files_are_copied():
    drive = client()
    old, new, inside = new_ids(drive, 3)
    original = create(drive, id=old, name="1.json").execute()
    body = {"id": new, "name": "2.json"}
    copied = drive.files().copy(fileId=old, body=body, fields="*").execute()
    assert copied["id"] == new and copied["name"] == "2.json"
    assert copied["parents"] == original["parents"]
    assert copied["md5Checksum"] == original["md5Checksum"]
    again = refused(drive.files().copy(fileId=old, body=body))
    assert again == (409, "fileIdInUse", "A file already exists with the provided ID.")
    folder = {"name": "folder", "mimeType": "application/vnd.google-apps.folder"}
    folder = drive.files().create(body=folder).execute()["id"]
    moved = {"id": inside, "parents": [folder]}
    assert drive.files().copy(fileId=old, body=moved, fields="*").execute()["parents"] == [folder]
    drive.files().delete(fileId=old).execute()
    assert download(drive, new) == BINARY
    assert refused(drive.files().copy(fileId=old))[:2] == (404, "notFound")


def files_change_and_go():
    drive = client()
    id = create(drive, name="a").execute()["id"]
    media = MediaInMemoryUpload(b"second", mimetype="text/plain")
    changed = drive.files().update(fileId=id, media_body=media, fields="id,version,size").execute()
    assert changed["id"] == id and changed["size"] == "6"
    # Preconditions mean nothing to v3.
    request = drive.files().update(fileId=id, body={"name": "b"}, fields="name")
    request.headers["If-Match"] = '"nonsense"'
    assert request.execute() == {"name": "b"}
    empty = create(drive, b"", name="empty").execute()
    assert empty["size"] == "0" and download(drive, empty["id"]) == b""
    assert drive.files().delete(fileId=id).execute() == ""
    gone = refused(drive.files().get(fileId=id))
    assert gone == (404, "notFound", f"File not found: {id}.")
    assert refused(drive.files().delete(fileId=id))[0] == 404
    assert refused(drive.files().get_media(fileId=id))[0] == 404


def folders_and_lists():
    drive = client()
    folder_id, a, b = new_ids(drive, 3)
    kind = "application/vnd.google-apps.folder"
    body = {"id": folder_id, "name": "it's a folder", "mimeType": kind}
    folder = drive.files().create(body=body, fields="id,mimeType,parents").execute()
    assert folder["id"] == folder_id and folder["mimeType"] == kind and "size" not in folder
    assert refused(drive.files().create(body=body))[1] == "fileIdInUse"
    for id, name in ((b, "b"), (a, "a")):
        create(drive, id=id, name=name, parents=[folder_id]).execute()
    create(drive, name="elsewhere").execute()

    def names(q, **options):
        found, request = [], drive.files().list(q=q, **options)
        pages = 0
        while request is not None:
            page = request.execute()
            found += [file["name"] for file in page["files"]]
            request, pages = drive.files().list_next(request, page), pages + 1
        return found, pages

    inside = f"'{folder_id}' in parents"
    assert names(inside, orderBy="name") == (["a", "b"], 1)
    assert names(inside, orderBy="createdTime") == (["b", "a"], 1)
    assert sorted(names(f"{inside} and trashed = false")[0]) == ["a", "b"]
    assert names("name = 'a'")[0] == ["a"]
    assert names("name = 'it\\'s a folder'")[0] == ["it's a folder"]
    assert names(f"'root' in parents and mimeType = '{kind}'")[0] == ["it's a folder"]
    assert names(f"'root' in parents and mimeType != '{kind}'")[0] == ["elsewhere"]
    found, pages = names(inside, orderBy="name", pageSize=1)
    assert found == ["a", "b"] and pages == 2
    listed = drive.files().list(q=inside, fields="files(id,name),nextPageToken").execute()
    assert set(listed["files"][0]) == {"id", "name"}
    for q in ("name='a'", "fullText contains 'a'", "not name = 'a'", "nonsense"):
        assert refused(drive.files().list(q=q))[0] == 400, q
    assert refused(drive.files().list(q="'1unknown' in parents"))[0] == 404
    assert refused(drive.files().list(pageSize=1001))[0] == 400
    status, reason, message = refused(drive.files().get(fileId=a, fields="etag"))
    assert (status, reason) == (400, "invalidParameter")
    assert message == "Invalid field selection etag"
    assert refused(create(drive, name="x", parents=["1unknown"]))[:2] == (404, "notFound")


def pages_may_be_empty_before_the_end():
    """The double gives pages of two, and an empty one after each."""
    drive = client()
    for i in range(5):
        create(drive, name=f"{i}").execute()
    found, sizes, request = [], [], drive.files().list(orderBy="name")
    while request is not None:
        page = request.execute()
        sizes.append(len(page["files"]))
        found += [file["name"] for file in page["files"]]
        request = drive.files().list_next(request, page)
    assert found == ["0", "1", "2", "3", "4"] and 0 in sizes[:-1], sizes


def names_are_found_late():
    """The double's index of names lags by an hour."""
    drive = client()
    id = create(drive, name="late").execute()["id"]
    assert drive.files().list(q="name = 'late'").execute()["files"] == []
    listed = drive.files().list(q="'root' in parents").execute()["files"]
    assert [file["id"] for file in listed] == [id]
    assert drive.files().get(fileId=id).execute()["name"] == "late"


def changes_come_in_order():
    drive = client()
    start = drive.changes().getStartPageToken().execute()
    assert start["kind"] == "drive#startPageToken"
    token = start["startPageToken"]
    empty = drive.changes().list(pageToken=token).execute()
    assert empty["changes"] == [] and empty["newStartPageToken"] == token
    a = create(drive, name="a").execute()["id"]
    b = create(drive, name="b").execute()["id"]
    drive.files().update(fileId=a, body={"name": "a2"}).execute()
    drive.files().delete(fileId=b).execute()
    fields = "nextPageToken,newStartPageToken,changes(fileId,removed,file(name))"
    seen, at = [], token
    while True:
        page = drive.changes().list(pageToken=at, pageSize=1, fields=fields).execute()
        seen += page["changes"]
        if "newStartPageToken" in page:
            assert "nextPageToken" not in page
            break
        at = page["nextPageToken"]
    assert seen == [
        {"fileId": a, "removed": False, "file": {"name": "a2"}},
        {"fileId": b, "removed": True},
    ]
    there = drive.changes().list(pageToken=token, includeRemoved=False).execute()
    assert [change["fileId"] for change in there["changes"]] == [a]
    hidden = drive.changes().list(pageToken=token, spaces="appDataFolder").execute()
    assert hidden["changes"] == []
    assert refused(drive.changes().list(pageToken="nonsense"))[0] == 400


def batches_hold_a_hundred():
    drive = client()
    ids = [create(drive, name=f"{i}").execute()["id"] for i in range(3)]
    answers = {}

    def note(name, answer, error):
        answers[name] = error.resp.status if error else answer

    batch = drive.new_batch_http_request(callback=note)
    batch._batch_uri = f"{BASE}/batch/drive/v3"
    batch.add(drive.files().delete(fileId=ids[0]), request_id="gone")
    batch.add(drive.files().delete(fileId="1unknown"), request_id="unknown")
    batch.add(drive.files().get(fileId=ids[1], fields="name"), request_id="there")
    batch.add(drive.files().create(body={"name": "made"}, fields="name"), request_id="made")
    batch.add(drive.files().get_media(fileId=ids[2]), request_id="media")
    batch.execute()
    media = answers.pop("media")
    assert media == 302, media
    assert answers == {"gone": "", "unknown": 404, "there": {"name": "1"}, "made": {"name": "made"}}
    assert refused(drive.files().get(fileId=ids[0]))[0] == 404

    # The client itself takes a thousand; the service does not.
    batch = drive.new_batch_http_request()
    batch._batch_uri = f"{BASE}/batch/drive/v3"
    for _ in range(101):
        batch.add(drive.files().get(fileId=ids[1]))
    try:
        batch.execute()
    except HttpError as error:
        assert error.resp.status == 400
    else:
        raise AssertionError("a batch of 101 should have been refused")


def uploads_in_chunks():
    drive = client()
    content = os.urandom(700_000)
    (id,) = new_ids(drive, 1)

    def start(id):
        media = MediaIoBaseUpload(
            io.BytesIO(content), "application/octet-stream", chunksize=262144, resumable=True
        )
        return drive.files().create(body={"id": id, "name": "large"}, media_body=media, fields="*")

    request, steps, answer = start(id), 0, None
    while answer is None:
        _, answer = request.next_chunk()
        steps += 1
    assert steps == 3 and answer["id"] == id and answer["size"] == "700000"
    assert answer["md5Checksum"] == hashlib.md5(content).hexdigest()
    assert download(drive, id) == content
    try:
        start(id).next_chunk()
    except HttpError as error:
        assert error.resp.status == 409
    else:
        raise AssertionError("the id is in use")


def a_lost_chunk_is_asked_for():
    """The double fails the second chunk; the client asks how much is there and goes on."""
    drive = client()
    content = os.urandom(600_000)
    media = MediaIoBaseUpload(
        io.BytesIO(content), "application/octet-stream", chunksize=262144, resumable=True
    )
    request, answer = drive.files().create(body={"name": "x"}, media_body=media, fields="id"), None
    failed = 0
    while answer is None:
        try:
            _, answer = request.next_chunk()
        except HttpError as error:
            assert error.resp.status == 503
            failed += 1
    assert failed == 1 and download(drive, answer["id"]) == content


def the_hidden_folder_is_apart():
    drive = client()
    (id,) = new_ids(drive, 1, "appDataFolder")
    made = create(drive, id=id, name="hidden", parents=["appDataFolder"]).execute()
    assert made["spaces"] == ["appDataFolder"]
    create(drive, name="seen").execute()

    def names(**options):
        return [file["name"] for file in drive.files().list(**options).execute()["files"]]

    assert names() == ["seen"] and names(spaces="appDataFolder") == ["hidden"]
    assert names(spaces="appDataFolder", q="'appDataFolder' in parents") == ["hidden"]
    only_seen = client(os.environ["DRIVE_TOKEN_VISIBLE"])
    assert refused(only_seen.files().get(fileId=id))[0] == 404
    status, reason, _ = refused(only_seen.files().list(spaces="appDataFolder"))
    assert (status, reason) == (403, "insufficientPermissions")


def refusals_have_reasons():
    """The double is told to refuse five times, and then the token has expired."""
    drive = client()
    seen = [refused(drive.files().list())[:2] for _ in range(5)]
    assert seen == [
        (403, "userRateLimitExceeded"),
        (403, "rateLimitExceeded"),
        (429, "rateLimitExceeded"),
        (403, "storageQuotaExceeded"),
        (500, "backendError"),
    ], seen
    unknown = client("ya29.unknown")
    request = unknown.files().list()
    request.http.credentials.refresh = lambda _: None
    status, reason, message = refused(request)
    assert (status, reason) == (401, "authError")
    assert message.startswith("Request had invalid authentication credentials.")


def a_token_is_renewed():
    """The access token has expired; the client library renews it by the refresh token."""
    from google.auth.exceptions import RefreshError
    from google.auth.transport.requests import Request

    credentials = Credentials(
        None,
        refresh_token=os.environ["DRIVE_REFRESH_TOKEN"],
        token_uri=f"{BASE}/token",
        client_id="app",
        client_secret=os.environ["DRIVE_CLIENT_SECRET"],
    )
    credentials.refresh(Request())
    assert credentials.valid and credentials.token.startswith("ya29.")
    assert client(credentials.token).files().list().execute()["files"] == []
    wrong = Credentials(
        None,
        refresh_token="1//nonsense",
        token_uri=f"{BASE}/token",
        client_id="app",
        client_secret=os.environ["DRIVE_CLIENT_SECRET"],
    )
    try:
        wrong.refresh(Request())
    except RefreshError as error:
        assert "Token has been expired or revoked." in str(error)
    else:
        raise AssertionError("the refresh token is unknown")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print(f"{sys.argv[1]}: done")
