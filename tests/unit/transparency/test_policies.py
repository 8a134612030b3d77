"""Policy files (C2SP tlog-policy)."""

import pytest

from ledger.transparency.errors import Malformed, Unverified
from ledger.transparency.keys import SignatureType, SigningKey, VerifierKey
from ledger.transparency.policy import NO_WITNESSES, Policy, k_of, parse_policy
from tests.unit.transparency.vectors import LOG, WITNESSES

X = [
    SigningKey(f"x{n}.example", bytes([n] * 32), SignatureType.COSIGNATURE).verifier
    for n in (1, 2, 3)
]
Y = [
    SigningKey(f"y{n}.example", bytes([9, n] * 16), SignatureType.COSIGNATURE).verifier
    for n in (1, 2, 3)
]
EXAMPLE = f"""\
# The example of the specification
log {LOG.verifier.vkey}

witness X1 {X[0].vkey}
witness X2 {X[1].vkey} https://x2.example/add
  witness\tX3  {X[2].vkey}\t
group X-witnesses 2 X1 X2 X3

\t# comments may be indented
witness Y1 {Y[0].vkey}
witness Y2 {Y[1].vkey}
witness Y3 {Y[2].vkey}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def test_the_example_of_the_specification() -> None:
    policy = parse_policy(EXAMPLE.encode())
    assert policy.log_keys == (LOG.verifier,)
    assert policy.witness_keys == (*X, *Y)
    assert policy.witnesses["X2"].url == "https://x2.example/add"
    assert policy.witnesses["X1"].url is None
    assert policy.is_met([X[0], X[2], Y[1]])
    assert policy.is_met([*X, *Y])
    assert not policy.is_met([X[0], Y[0], Y[1], Y[2]])
    assert not policy.is_met(X)
    assert not policy.is_met([])
    with pytest.raises(
        Unverified, match=r"'X-and-Y' is not met: of 6 .* 3 cosigned \(X1, X2, X3\)"
    ):
        policy.require(X)


def test_no_quorum_and_one_witness() -> None:
    assert parse_policy(b"quorum none\n") == NO_WITNESSES == Policy()
    assert NO_WITNESSES.is_met([])
    one = parse_policy(f"witness only {X[0].vkey}\nquorum only\n".encode())
    assert one.is_met([X[0]])
    assert not one.is_met([X[1]])


def test_k_of_n_witnesses() -> None:
    policy = k_of(2, X)
    assert policy.is_met(X[1:])
    assert not policy.is_met(X[:1])
    for threshold, keys in ((0, X), (4, X), (1, []), (1, [X[0], X[0]])):
        with pytest.raises(ValueError, match="cannot be"):
            k_of(threshold, keys)
    with pytest.raises(ValueError, match="of type 0x01, not 0x04"):
        k_of(1, [LOG.verifier])


def test_names_are_octets() -> None:
    """The Kelvin sign is not a K, and bytes that are not UTF-8 are names too (Character set)."""
    text = f"witness K {X[0].vkey}\nwitness \u212a {X[1].vkey}\n".encode()
    policy = parse_policy(text + b"witness \xff " + X[2].vkey.encode() + b"\nquorum \xff\n")
    assert len(policy.witnesses) == 3
    assert policy.is_met([X[2]])


def same_key(key: VerifierKey) -> str:
    return VerifierKey("renamed.example", key.public, key.type).vkey


W1, W2 = (f"witness w{n} {X[n].vkey}\n" for n in (1, 2))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "does not end in a newline"),
        ("quorum none", "does not end in a newline"),
        ("\n", "has no quorum line"),
        (W1, "has no quorum line"),
        ("quorum none\nquorum none\n", "line 2: a quorum stands above"),
        ("quorum w1\n" + W1, "line 1: 'w1' is no witness and no group"),
        ("quorum none\r\n", "line 1: holds the byte 0x0d"),
        ("\n\x7f\n", "line 2: holds the byte 0x7f"),
        ("quorum\n", "line 1: 'quorum' is none of"),
        ("quorum none none\n", "line 1: 'quorum none none' is none of"),
        ("Quorum none\n", "is none of"),
        ("quorum none # no\n", "is none of"),
        ("quorum\u2003none\n", "is none of"),
        ("log\n", "is none of"),
        (f"log {LOG.verifier.vkey} url more\n", "is none of"),
        ("log nothing\n", "line 1: the id after the name"),
        (f"log {X[0].vkey}\n", "line 1: x1.example: the key is of type 0x04, not 0x01"),
        (f"witness a {LOG.verifier.vkey}\n", "line 1: log.example/town: the key is of type 0x01"),
        (
            f"log {LOG.verifier.vkey}\nlog {same_key(LOG.verifier)}\n",
            "line 2: a log with this public",
        ),
        (W1 + f"witness b {same_key(X[1])}\n", "line 2: a witness with this public key"),
        (W1 + f"witness w1 {X[2].vkey}\n", "line 2: 'w1' has a meaning already"),
        (f"witness none {X[0].vkey}\n", "'none' has a meaning already"),
        (W1 + "group w1 any w1\n", "'w1' has a meaning already"),
        (W1 + "group none any w1\n", "'none' has a meaning already"),
        (W1 + "group a any\n", "is none of"),
        (W1 + "group a any none\n", "'none' is no witness"),
        ("group a any a\n", "'a' is no witness"),
        (W1 + "group a any w1 w1\n", "'w1' is a member for the second time"),
        (W1 + "group a any w1\ngroup b any w1\n", "line 3: 'w1' is a member for the second time"),
        (W1 + W2 + "group a 0 w1 w2\n", "line 3: 0 of 2 members cannot be"),
        (W1 + W2 + "group a 3 w1 w2\n", "line 3: 3 of 2 members cannot be"),
        (W1 + W2 + "group a 02 w1 w2\n", "line 3: '02' is not a whole number"),
        (W1 + W2 + "group a most w1 w2\n", "line 3: 'most' is not a whole number"),
    ],
)
def test_policies_that_are_none(text: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        parse_policy(text.encode())


def test_the_witnesses_of_the_other_tests_are_of_the_right_type() -> None:
    assert {one.verifier.type for one in WITNESSES} == {SignatureType.COSIGNATURE}
