"""No secret gets past, and the cheap scan hides nothing that the full detectors would find."""

import base64
import random
import string
import sysconfig
from functools import partial
from pathlib import Path

import pytest

from acclimate_indexer.filters.personal import personal_spans
from acclimate_indexer.filters.secrets import (
    _entropy_plugins,
    _is_placeholder,
    _keyword_plugin,
    has_secret,
    plugin_patterns,
    secret_spans,
    secret_values,
)

HEX, WORD = "0123456789abcdef", string.ascii_letters + string.digits
SMALL = string.ascii_lowercase + string.digits


def made(choice: random.Random, letters: str, count: int) -> str:
    return "".join(choice.choice(letters) for _ in range(count))


def planted(choice: random.Random) -> dict[str, str]:
    """One secret of each kind, as it stands in code or in a configuration. Made here, so that none is committed."""
    word, hexes = partial(made, choice, WORD), partial(made, choice, HEX)
    upper, digits = partial(made, choice, string.ascii_uppercase + string.digits), partial(made, choice, "123456789")
    encoded = base64.b64encode(choice.randbytes(66)).decode()
    return {
        "aws id": f'key_id = "AKIA{upper(16)}"',
        "aws secret": f"aws_secret_access_key = '{word(40)}'",
        "github": f"TOKEN = 'ghp_{word(36)}'",
        "github fine": f"github_pat_{word(22)}_{word(59)}",
        "gitlab": f"token: glpat-{word(20)}",
        "slack": f"xoxb-{digits(11)}-{digits(11)}-{made(choice, SMALL, 24)}",
        "slack hook": f"https://hooks.slack.com/services/T{upper(8)}/B{upper(8)}/{word(24)}",
        "stripe": f'stripe.api_key = "sk_live_{word(24)}"',
        "twilio": f"SK{made(choice, SMALL, 32)}",
        "sendgrid": f"SG.{word(22)}.{word(43)}",
        "npm": f"//registry/:_authToken=npm_{word(36)}",
        "npm bare": f"npm_{word(36)}",
        "pypi": f"pypi-AgEIcHlwaS5vcmc{word(80)}",
        "azure": f"AccountName=shop;AccountKey={encoded[:86]}==",
        "basic auth": f"postgres://shop:{word(12)}@db.shop.internal/shop",
        "private key": "\n".join(
            ("-----BEGIN RSA PRIVATE KEY-----", encoded[:64], encoded[:64], "-----END RSA PRIVATE KEY-----")
        ),
        "jwt": f"eyJhbGciOiJIUzI1NiJ9.eyJ{word(30)}.{word(43)}",
        "discord": f"M{word(23)}.{word(6)}.{word(27)}",
        "telegram": f"bot_token = {digits(9)}:{word(35)}",
        "openai": f"sk-{word(20)}T3BlbkFJ{word(20)}",
        "openai project": f'client = OpenAI("sk-proj-{word(48)}")',
        "anthropic": f"sk-ant-api03-{word(80)}",
        "google": f"AIza{word(35)}",
        "google oauth": f"ya29.{word(60)}",
        "mailchimp": f"{hexes(32)}-us{choice.randrange(1, 20)}",
        "mailgun": f"key-{hexes(32)}",
        "square": f"sq0csp-{word(43)}",
        "artifactory": f'"AKC{word(20)}"',
        "digitalocean": f"dop_v1_{hexes(64)}",
        "shopify": f"shpat_{hexes(32)}",
        "hugging face": f"hf_{word(34)}",
        "bearer": f'headers = {{"Authorization": "Bearer {word(20)}{digits(3)}{word(20)}"}}',
        "databricks": f"dapi{hexes(32)}",
        "password": f'password = "{word(6)}{digits(3)}!{word(4)}"',
        "env file": f"DB_PASSWORD={word(5)}{digits(3)}{word(6)}",
        "yaml": f"  api_key: {word(5)}{digits(3)}{word(8)}",
        "xml": f'<add key="password" value="x" password="{word(10)}{digits(2)}" />',
        "json": f'{{"client_secret": "{word(8)}{digits(3)}{word(10)}"}}'.replace("client_secret", "secret"),
        "hex": f"SIGNING = '{hexes(40)}'",
        "base64": f'SALT = "{base64.b64encode(choice.randbytes(48)).decode()}"',
    }


@pytest.mark.parametrize("seed", range(6))
def test_every_planted_secret_is_found(seed: int) -> None:
    secrets = planted(random.Random(seed))
    missed = [kind for kind, text in secrets.items() if not has_secret(f"import shop\n\n{text}\n\nshop.open()\n")]

    assert len(secrets) >= 20
    assert not missed


def test_a_secret_hides_its_line_and_no_other() -> None:
    secret = planted(random.Random(1))["github"]
    text = f"first = 1\n{secret}\nlast = 2\n"

    assert [text[start:end] for start, end in secret_spans(text)] == [f"{secret}\n"]


def test_a_private_key_is_hidden_with_all_of_its_lines() -> None:
    secret = planted(random.Random(1))["private key"]
    text = f"KEY = '''\n{secret}\n'''\nopen_shop()\n"
    hidden = "".join(text[start:end] for start, end in secret_spans(text))

    assert secret in hidden
    assert "open_shop" not in hidden


@pytest.mark.parametrize("seed", range(3))
def test_the_cheap_scan_hides_nothing_that_a_full_detector_finds(seed: int) -> None:
    choice = random.Random(seed)
    library = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    lines = [line for file in choice.sample(library, 12) for line in file.read_text("utf-8", "replace").split("\n")]
    lines += [line for text in planted(choice).values() for line in text.split("\n")]
    choice.shuffle(lines)
    text = "\n".join(lines)
    found = {number for start, _ in secret_spans(text) for number in [text.count("\n", 0, start)]}
    hidden = {
        number
        for start, end in secret_spans(text)
        for number in range(text.count("\n", 0, start), text.count("\n", 0, end))
    }
    missed = [line for number, line in enumerate(lines) if number not in found | hidden and full_detector(line)]

    assert len(found) >= 30
    assert not missed


def full_detector(line: str) -> bool:
    """What detect-secrets finds in a line, whatever it costs."""
    if any(pattern.search(line) for _, pattern in plugin_patterns()):
        return True
    if any(not _is_placeholder(value) for value in _keyword_plugin().analyze_string(line)):
        return True
    return any(
        plugin.calculate_shannon_entropy(match[2]) > plugin.entropy_limit
        for plugin in _entropy_plugins()
        for match in plugin.regex.finditer(line)
    )


@pytest.mark.parametrize(
    "line",
    [
        "token = self.next_token()",
        "password = getpass.getpass()",
        'password = os.environ["PASSWORD"]',
        "def key(self, key: str) -> None:",
        "secret: str | None = None",
        "max_tokens = 1024",
        'API_KEY = "<your key>"',
        "assert tokenize('a b') == ['a', 'b']",
        "from shop.secrets import SecretStore",
        "self.assertEqual(first_token, second_token)",
        "token=refresh_token2",
        "commit = '1a2b3c4'",
    ],
)
def test_what_only_sounds_like_a_secret_is_left_alone(line: str) -> None:
    assert not has_secret(line)


def test_mail_addresses_of_people_are_found() -> None:
    author = "# Author: Ann <ann.lee@shop-mail.org>\n"
    text = f"{author}run()\n# ask you@example.com or git@github.com:shop/shop.git\n@decorator\n"

    assert [text[start:end] for start, end in personal_spans(text)] == [author]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('password = "qz7Kp2vX9wLm"\n', ["qz7Kp2vX9wLm"]),
        ("DB_PASSWORD=qz7Kp2vX9wLm\n", ["qz7Kp2vX9wLm"]),
        ('{"secret": "qz7Kp2vX9wLm4Rt8"}\n', ["qz7Kp2vX9wLm4Rt8"]),
        ("total = price * rate\n", []),
        ('password = os.environ["PASSWORD"]\n', []),
        ("", []),
    ],
)
def test_the_value_of_a_secret_is_told_from_its_name(text: str, values: list[str]) -> None:
    assert [text[start:end] for start, end in secret_values(text)] == values


@pytest.mark.parametrize("seed", range(4))
def test_every_planted_secret_has_a_value_within_it(seed: int) -> None:
    for kind, secret in planted(random.Random(seed)).items():
        before = "import shop\n\n\ndef total(prices):\n    return sum(prices)\n\n\n"
        text = f"{before}{secret}\n\nshop.open(total)\n"

        values = secret_values(text)

        assert values, kind
        for start, end in values:
            assert len(before) <= start < end <= len(before) + len(secret), kind
            assert end - start >= 6, kind
        assert values == sorted(set(values))
