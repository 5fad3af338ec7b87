"""Mails as they should not be, and as they come all the same: name, raw mail, and words that must not get lost.

Each is about one oddity. The words are looked for in what is shown of the mail: its subject, its text, what it
quotes, its page and the names of its files.
"""

from dataclasses import dataclass

HEAD = b"From: Ann <ann@people.test>\r\nTo: help@shop.test\r\nMessage-ID: <odd@people.test>\r\n"
THING = b"Content-Type: application/x-thing\r\n\r\nx"
PDF = b"Content-Type: application/pdf; name==?utf-8?Q?=ZZ\r\nContent-Disposition: attachment; "
DATED = HEAD + b"Date: Fri, 20 Nov 2026 10:00:00 +0100\r\n"


@dataclass(frozen=True)
class OddMail:
    name: str
    raw: bytes
    words: tuple[str, ...] = ()


def _plain(name: str, headers: bytes, *words: str, body: bytes = b"Where is my parcel?\r\n") -> OddMail:
    return OddMail(name, HEAD + headers + b"\r\n" + body, words)


def _parts(
    name: str, *parts: bytes, words: tuple[str, ...], kind: bytes = b"mixed", end: bytes = b"--b--\r\n"
) -> OddMail:
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end
    head = DATED + b"MIME-Version: 1.0\r\nContent-Type: multipart/" + kind + b'; boundary="b"\r\n\r\n'
    return OddMail(name, head + body, words)


def _nested(depth: int) -> bytes:
    """Parts within parts within parts."""
    raw = DATED
    for level in range(depth):
        raw += b'Content-Type: multipart/mixed; boundary="n%d"\r\n\r\n--n%d\r\n' % (level, level)
    raw += b"Content-Type: text/plain\r\n\r\nDeep down\r\n"
    return raw + b"".join(b"--n%d--\r\n" % level for level in reversed(range(depth)))


TEXT = b"Content-Type: text/plain; charset=utf-8\r\n\r\nWhere is my parcel?"
PAGE = b"Content-Type: text/html\r\n\r\n<p>Where is my <b>parcel</b>?</p>"
PICTURE = (
    b"Content-Type: image/png; name=label.png\r\nContent-Disposition: inline; filename=label.png\r\n"
    b"Content-ID: <label>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo="
)
PARCEL = "Where is my parcel?"

ODD = (
    OddMail("nothing at all", b""),
    OddMail("only line ends", b"\r\n\r\n\r\n"),
    OddMail("only a body", b"\r\nWhere is my parcel?", (PARCEL,)),
    OddMail("only a subject", b"Subject: parcel", ("parcel",)),
    OddMail("no headers that mean anything", b"foo bar\r\nbaz\r\n\r\nWhere is my parcel?", (PARCEL,)),
    OddMail("binary rubbish", bytes(range(256)) * 8),
    OddMail("line ends of old Macs", b"From: ann@people.test\rSubject: parcel\r\rWhere?", ()),
    OddMail("bare line feeds", HEAD.replace(b"\r\n", b"\n") + b"\nWhere is my parcel?\n", (PARCEL,)),
    OddMail("an mbox line first", b"From ann@people.test Fri Nov 20\r\n" + HEAD + b"\r\nWhere is my parcel?"),
    OddMail(
        "a name in base64 that is cut off",
        b"From: =?utf-8?B?w4Rub?= <ann@people.test>\r\n\r\nWhere is my parcel?",
        (PARCEL,),
    ),
    _plain("no date", b"Subject: parcel\r\n", "parcel", PARCEL),
    _plain("a date of the day that never was", b"Date: Fri, 31 Feb 2026 25:61:61 +9999\r\n", PARCEL),
    _plain("a date in words", b"Date: yesterday evening\r\n", PARCEL),
    _plain("a date without a zone", b"Date: Fri, 20 Nov 2026 10:00:00\r\n", PARCEL),
    _plain("a date long past", b"Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n", PARCEL),
    _plain("a date far ahead", b"Date: Fri, 20 Nov 9999 10:00:00 +0000\r\n", PARCEL),
    _plain("an empty date", b"Date:\r\n", PARCEL),
    _plain("several ids in In-Reply-To", b"In-Reply-To: <a@x.test> <b@x.test>, <c@x.test>\r\n", PARCEL),
    _plain("words in In-Reply-To", b"In-Reply-To: Your message of Monday <a@x.test>\r\n", PARCEL),
    _plain("rubbish in In-Reply-To", b"In-Reply-To: <<>>>@<\r\n", PARCEL),
    _plain("an empty In-Reply-To", b"In-Reply-To: \r\nReferences:\r\n", PARCEL),
    _plain("an id without brackets", b"In-Reply-To: a@x.test\r\n", PARCEL),
    _plain(
        "references over many lines", b"References:\r\n <a@x.test>\r\n\t<b@x.test>\r\n <c@x.test>\r\n", PARCEL
    ),
    _plain(
        "thousands of references",
        b"References: " + b" ".join(b"<%d@x.test>" % n for n in range(3000)) + b"\r\n",
        PARCEL,
    ),
    _plain("two subjects", b"Subject: one\r\nSubject: two\r\n", "one", PARCEL),
    _plain("an encoded subject cut in the middle", b"Subject: =?utf-8?B?R3LDvM\r\n", PARCEL),
    _plain("an encoded subject in no known charset", b"Subject: =?x-klingon?Q?par=63el?=\r\n", PARCEL),
    _plain(
        "a subject in parts that split a letter", b"Subject: =?utf-8?B?R3LD?= =?utf-8?B?vMOf?=\r\n", PARCEL
    ),
    _plain("a subject in raw UTF-8", "Subject: Grüße über Grüße\r\n".encode(), "Grüße über Grüße", PARCEL),
    _plain("a subject in raw Latin-1", "Subject: Grüße\r\n".encode("latin-1"), PARCEL),
    _plain("a subject with a NUL", b"Subject: par\0cel\r\n", "parcel", PARCEL),
    _plain("an endless subject", b"Subject: " + b"parcel " * 20_000 + b"\r\n", "parcel", PARCEL),
    _plain("a reply address that is none", b"Reply-To: <<ann@>>, @, undisclosed\r\n", PARCEL),
    _plain("an unclosed reply address", b'Reply-To: "Ann <ann@people.test\r\n', PARCEL),
    _plain("an empty reply address", b"Reply-To:\r\n", PARCEL),
    _plain("a header without an end", b"X-Long: " + b"x" * 100_000 + b"\r\n", PARCEL),
    _plain("a content type of nothing", b"Content-Type:\r\n", PARCEL),
    _plain("a content type of rubbish", b'Content-Type: ;;;==="\r\n', PARCEL),
    _plain(
        "a content type with a broken charset", b'Content-Type: text/plain; charset="\xff\xfe"\r\n', PARCEL
    ),
    _plain("an unknown charset", b"Content-Type: text/plain; charset=x-klingon\r\n", PARCEL),
    _plain(
        "a charset that lies",
        b"Content-Type: text/plain; charset=us-ascii\r\n",
        "Grüße",
        body="Grüße".encode(),
    ),
    _plain(
        "Windows letters without a charset",
        b"Content-Type: text/plain\r\n",
        "Grüße",
        body="Grüße".encode("cp1252"),
    ),
    _plain(
        "UTF-16",
        b"Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n",
        "Grüße",
        body=b"//5HAHIA/ADfAGUA",
    ),
    _plain("an unknown transfer encoding", b"Content-Transfer-Encoding: x-morse\r\n", PARCEL),
    _plain("base64 that is none", b"Content-Transfer-Encoding: base64\r\n", body=b"!!! not base64 !!!"),
    _plain(
        "base64 without its end", b"Content-Transfer-Encoding: base64\r\n", body=b"V2hlcmUgaXMgbXkgcGFyY2VsP"
    ),
    _plain(
        "quoted-printable that is none",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        "50 = 50",
        body=b"50 = 50 =ZZ",
    ),
    _plain("an empty body", b"Subject: parcel\r\n", "parcel", body=b""),
    _plain("a body of spaces", b"Subject: parcel\r\n", "parcel", body=b"   \r\n \t \r\n"),
    _plain("a body of NULs", b"Subject: parcel\r\n", "parcel", body=b"\0" * 1000),
    _plain("a body that is one endless line", b"", "word word", body=b"word " * 40_000),
    _plain("a body that is one quote", b"", "> parcel?", body=b"> parcel?\r\n> soon\r\n"),
    _plain(
        "a page that never ends",
        b"Content-Type: text/html\r\n",
        "parcel",
        body=b"<div><p>parcel<table><tr><td",
    ),
    _plain(
        "a page as deep as it is long",
        b"Content-Type: text/html\r\n",
        "parcel",
        body=b"<div>" * 30_000 + b"parcel",
    ),
    _plain(
        "a page of scripts",
        b"Content-Type: text/html\r\n",
        "parcel",
        body=b"<script>alert(1)</script><p onclick=x()>parcel</p>",
    ),
    _plain(
        "uuencoded words",
        b"Content-Transfer-Encoding: x-uuencode\r\n",
        body=b"begin 644 a\r\n#86)C\r\n`\r\nend\r\n",
    ),
    _parts("text and page", TEXT, PAGE, kind=b"alternative", words=(PARCEL,)),
    _parts("a page with a picture in it", PAGE, PICTURE, kind=b"related", words=("parcel", "label.png")),
    _parts(
        "text around a picture",
        TEXT,
        PICTURE,
        b"Content-Type: text/plain\r\n\r\nSincerely",
        words=(PARCEL, "label.png", "Sincerely"),
    ),
    _parts("no closing boundary", TEXT, PICTURE, words=(PARCEL, "label.png"), end=b""),
    _parts("words behind the last part", TEXT, words=(PARCEL,), end=b"--b--\r\nepilogue"),
    _parts("no parts", words=(), end=b"nothing here"),
    _parts("empty parts", b"", b"\r\n", TEXT, words=(PARCEL,)),
    _parts(
        "an alternative of nothing",
        b"Content-Type: text/plain\r\n\r\n ",
        b"Content-Type: text/html\r\n\r\n",
        kind=b"alternative",
        words=(),
    ),
    _parts(
        "a mail within the mail",
        TEXT,
        b"Content-Type: message/rfc822\r\n\r\nSubject: The old one\r\n\r\nOld words",
        words=(PARCEL, "The old one.eml"),
    ),
    _parts(
        "a mail within that is none",
        TEXT,
        b"Content-Type: message/rfc822\r\n\r\n",
        words=(PARCEL, "mail.eml"),
    ),
    _parts(
        "winmail.dat",
        TEXT,
        b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\neJ8+Ig==",
        words=(PARCEL, "winmail.dat"),
    ),
    _parts(
        "an invitation",
        TEXT,
        b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR",
        kind=b"alternative",
        words=(PARCEL, ".ics"),
    ),
    _parts(
        "a file with a way out of its folder",
        TEXT,
        b'Content-Type: text/plain\r\nContent-Disposition: attachment; filename="../../etc/passwd"\r\n\r\nx',
        words=(PARCEL, "passwd"),
    ),
    _parts(
        "a file named in pieces",
        TEXT,
        PDF + b"filename*0*=utf-8''Rechnung%20; filename*1=M%C3%A4rz.pdf\r\n\r\nx",
        words=(PARCEL, "Rechnung"),
    ),
    _parts("a file named in a broken way", TEXT, PDF + b"filename*=%%%\r\n\r\nx", words=(PARCEL,)),
    _parts("a file of an unknown kind without a name", TEXT, THING, words=(PARCEL, "file-1")),
    _parts("hundreds of files", TEXT, *[THING] * 200, words=(PARCEL, "file-100")),
    _parts(
        "a broken mail within the mail",
        TEXT,
        b'Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary="b\xf0\r\n\r\nOld \xff words',
        words=(PARCEL, "mail.eml"),
    ),
    _parts("thousands of parts", *[TEXT] * 2000, words=(PARCEL,)),
    _plain(
        "a million spaces of parameters", b"Content-Type: text/plain; " + b"a=b; " * 50_000 + b"\r\n", PARCEL
    ),
    _plain("thousands of headers", b"X-Spam: no\r\n" * 50_000, PARCEL),
    _parts("an unclosed boundary", TEXT, words=(PARCEL,), kind=b'mixed; x="'),
    OddMail(
        "a boundary that is not there",
        DATED + b"Content-Type: multipart/mixed\r\n\r\nWhere is my parcel?",
        (PARCEL,),
    ),
    OddMail("parts ten deep", _nested(10), ("Deep down",)),
    OddMail("parts hundreds deep", _nested(300), ()),
    OddMail("parts over a thousand deep", _nested(1200), ("Deep down",)),
    OddMail("no sender", b"To: help@shop.test\r\n\r\nWhere is my parcel?", (PARCEL,)),
    OddMail("a sender without an address", b"From: Ann\r\n\r\nWhere is my parcel?", (PARCEL,)),
    OddMail(
        "many senders",
        b"From: Ann <ann@people.test>, Bob <bob@people.test>\r\n\r\nWhere is my parcel?",
        (PARCEL,),
    ),
    OddMail(
        "a sender's name in Latin-1",
        "From: Jürgen <j@people.test>\r\n\r\nWhere is my parcel?".encode("latin-1"),
        (PARCEL,),
    ),
    OddMail(
        "a group as recipients",
        b"From: ann@people.test\r\nTo: friends: a@x.test, b@x.test;\r\n\r\nWhere is my parcel?",
        (PARCEL,),
    ),
    OddMail(
        "a sender in other letters",
        "From: =?utf-8?B?w4RubmE=?= <änna@people.test>\r\n\r\nWhere is my parcel?".encode(),
        (PARCEL,),
    ),
)
