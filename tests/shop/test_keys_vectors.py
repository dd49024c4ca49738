"""Published vectors: BIP32, BIP39, BIP84, BIP173, EIP-55, SLIP-10, RFC 8032, and a phrase that is tried everywhere."""

import hashlib

import pytest

from storage.shop import wallets
from storage.shop.keys import (
    accounts,
    base58,
    bech32,
    bip32,
    bip39,
    curve,
    digests,
    ed25519,
    evm,
    native,
    sealing,
    slip10,
)  # fmt: skip
from storage.shop.keys.errors import KeyTrouble
from storage.shop.keys.words import WORDS

ABANDON = f"{'abandon ' * 11}about"
SEED = bip39.seed_of(ABANDON)


def node_at(path: str, seed: bytes = SEED) -> bip32.Node:
    return bip32.Private.of(seed).down(path, native.public).public(native.public)


def test_the_words_are_those_of_bip39():
    listed = "\n".join(WORDS).encode() + b"\n"
    assert hashlib.sha256(listed).hexdigest() == "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"


@pytest.mark.parametrize(
    ("entropy", "phrase", "seed"),
    [
        (
            "00" * 16,
            ABANDON,
            "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553"
            "1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04",
        ),
        (
            "7f" * 16,
            "legal winner thank year wave sausage worth useful legal winner thank yellow",
            "2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6f"
            "a457fe1296106559a3c80937a1c1069be3a3a5bd381ee6260e8d9739fce1f607",
        ),
        (
            "80" * 16,
            "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
            "d71de856f81a8acc65e6fc851a38d4d7ec216fd0796d0a6827a3ad6ed5511a30"
            "fa280f12eb2e47ed2ac03b5c462a0358d18d69fe4f985ec81778c1b370b652a8",
        ),
        (
            "ff" * 16,
            f"{'zoo ' * 11}wrong",
            "ac27495480225222079d7be181583751e86f571027b0497b5b5d11218e0a8a13"
            "332572917f0f8e5a589620c6f15b11c61dee327651a14c34e18231052e48c069",
        ),
        (
            "00" * 32,
            f"{'abandon ' * 23}art",
            "bda85446c68413707090a52022edd26a1c9462295029f2e60cd7c4f2bbd30971"
            "70af7a4d73245cafa9c3cca8d561a7c3de6f5d4a10be8ed2a5e608d68f92fcc8",
        ),
        (
            "9e885d952ad362caeb4efe34a8e91bd2",
            "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic",
            "274ddc525802f7c828d8ef7ddbcdc5304e87ac3535913611fbbfa986d0c9e547"
            "6c91689f9c8a54fd55bd38606aa6a8595ad213d4c9c9f9aca3fb217069a41028",
        ),
    ],
)
def test_trezors_phrases(entropy: str, phrase: str, seed: str):
    """The vectors of Trezor, with the password TREZOR."""
    assert bip39.words_of(bytes.fromhex(entropy)) == phrase
    assert bip39.seed_of(phrase, "TREZOR").hex() == seed


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("abandon", "12, 15, 18, 21 or 24 words, and this one has 1"),
        (f"{'abandon ' * 11}abuot", "word 12 is not one of the 2,048 words"),
        (f"{'abandon ' * 12}", "checksum is wrong"),
    ],
)
def test_a_mistyped_phrase_is_found(phrase: str, said: str):
    with pytest.raises(KeyTrouble, match=said) as found:
        bip39.check(phrase)
    assert "abuot" not in str(found.value)


@pytest.mark.parametrize(("length"), [0, 15, 17, 33])
def test_entropy_of_another_length_makes_no_phrase(length: int):
    with pytest.raises(ValueError, match="make no phrase"):
        bip39.words_of(bytes(length))


def test_bip32_vector_1():
    seed = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
    master = bip32.Private.of(seed)
    assert master.secret.hex() == "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35"
    deep = master.down("m/0'/1/2'/2/1000000000", native.public)
    assert deep.secret.hex() == "471b76e389e528d6de6d816857e012c5455051cad6660850e58372a6c3e6e7c8"
    public = bip32.child(bip32.child(node_at("m/0'/1/2'", seed), 2, native.shifted), 1000000000, bip32.shifted)
    assert public == deep.public(native.public)
    account = node_at("m/0'/1/2'", seed)
    above = node_at("m/0'/1", seed)
    numbered = bip32.Node(point=account.point, chain=account.chain, number=2)
    assert bip32.written(numbered, parent=native.hash160(above.point)[:4]) == (
        "xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5"
    )


ZPUB = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"


def test_bip84():
    """The vectors of bip-0084.mediawiki."""
    account = bip32.read_account(ZPUB, asset="BTC", network="main")
    assert account == node_at("m/84'/0'/0'")
    assert accounts.address("BTC", account, 0, "bc") == "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"
    assert accounts.address("BTC", account, 1, "bc") == "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"
    change = bip32.child(bip32.child(account, 1, native.shifted), 0, native.shifted)
    assert bech32.encode("bc", native.hash160(change.point)) == "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"
    first = bip32.Private.of(SEED).down("m/84'/0'/0'/0/0", native.public)
    assert base58.encode_checked(b"\x80" + first.secret + b"\1") == (
        "KyZpNDKnfs94vbrwhJneDi77V6jF64PWPF8x5cdJb8ifgg2DUc9d"
    )
    assert bip32.written(account, parent=native.hash160(node_at("m/84'/0'").point)[:4], kind="04b24746") == ZPUB


def test_the_first_accounts_of_ethereum():
    """What every development node prints for this phrase."""
    account = node_at("m/44'/60'/0'")
    assert accounts.address("ETH", account, 0, "") == "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
    assert accounts.address("ETH", account, 1, "") == "0x6Fac4D18c912343BF86fa7049364Dd4E424Ab9C0"


@pytest.mark.parametrize(
    "address",
    [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ],
)  # fmt: skip
def test_eip_55(address: str):
    assert evm.encode(bytes.fromhex(address[2:])) == address == evm.encode(evm.decode(address), keccak=native.keccak256)
    place = max(at for at, letter in enumerate(address) if letter.isalpha())
    one = address[:place] + address[place].swapcase() + address[place + 1 :]
    for changed in (address.lower(), address.upper(), address[:-1], one):
        with pytest.raises(ValueError, match=r"checksum|40 hexadecimal"):
            evm.decode(changed)


def test_slip_10():
    """Vector 1 for Ed25519."""
    master = slip10.Secret.of(bytes.fromhex("000102030405060708090a0b0c0d0e0f"))
    assert master.secret.hex() == "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7"
    assert master.chain.hex() == "90046a93de5380a72b5e45010748567d5ea02bbf6522f979e05c0d8d8ca9fffb"
    assert native.public_ed25519(master.secret).hex() == (
        "a4b2856bfec510abab89753fac1ac0e1112364e7d250545963f135f2a33188ed"
    )
    deep = master.down("m/0'/1'/2'/2'/1000000000'")
    assert deep.secret.hex() == "8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793"
    assert ed25519.public(deep.secret).hex() == "3c24da049451555d51a7014a37337aa4e12d41e485abccfa46b47dfb2af54b7a"
    with pytest.raises(ValueError, match="hardened children only"):
        master.down("m/0")


def test_the_first_addresses_of_solana():
    wallet = wallets.SolanaWallet(SEED)
    assert wallet.address(0) == "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk"
    assert wallet.address(1) == "Hh8QwFUA6MtVu1qAoq12ucvFHNwCcVTV7hpWjeY1Hztb"
    assert wallet.path(1).startswith("m/44'/501'/1'/0'@")


def test_rfc_8032():
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert ed25519.public(secret).hex() == native.public_ed25519(secret).hex() == public


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
        (b"abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
        (b"1234567890" * 8, "9b752e45573d4b39f4dbd3323cab82bf63326bfb"),
    ],
)
def test_ripemd_160(data: bytes, digest: str):
    assert digests.ripemd160(data).hex() == digest


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
    ],
)
def test_keccak_256(data: bytes, digest: str):
    assert digests.keccak256(data).hex() == native.keccak256(data).hex() == digest


@pytest.mark.parametrize("length", [1, 55, 56, 63, 64, 135, 136, 137, 271, 272, 300])
def test_both_digests_at_the_edges_of_their_blocks(length: int):
    data = bytes(range(256)) * 2
    assert digests.keccak256(data[:length]) == native.keccak256(data[:length])
    inner = hashlib.sha256(data[:length]).digest()
    assert digests.ripemd160(inner) == native.hash160(data[:length])


def test_bip173():
    """BIP173's valid version 0 addresses, and those that are not."""
    assert bech32.decode("bc", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4").hex() == (
        "751e76e8199196d454941c45d1b3a323f1433bd6"
    )
    assert bech32.decode("tb", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7").hex() == (
        "1863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"
    )
    for wrong in (
        "tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7",
        "bc1zw508d6qejxtdg4y5r3zarvaryvg6kdaj", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv",
        "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "bc1gmk9yu", "bc", "", "bc1" + "q" * 100, "bc1bbbbbbb",
    ):  # fmt: skip
        for hrp in ("bc", "tb"):
            with pytest.raises(ValueError, match=r"\bits?\b"):
                bech32.decode(hrp, wrong)


@pytest.mark.parametrize("prefix", ["bcrt", "rltc", "rb"])
def test_a_program_that_cannot_be_is_not_written(prefix: str):
    assert bech32.decode(prefix, bech32.encode(prefix, bytes(20))) == bytes(20)
    with pytest.raises(ValueError, match="19 bytes"):
        bech32.encode(prefix, bytes(19))


def test_base58():
    assert base58.encode(bytes(3) + b"\1") == "1112"
    assert base58.decode("1112") == bytes(3) + b"\1"
    assert (base58.encode(b""), base58.decode("")) == ("", b"")
    for wrong, said in (("0", "letter"), ("l1", "letter"), ("ä", "letter"), ("1" * 201, "201 letters")):
        with pytest.raises(ValueError, match=said):
            base58.decode(wrong)
    for wrong in ("", "1", "1112", f"{ZPUB[:-1]}t", ZPUB[1:], ZPUB.swapcase()):
        with pytest.raises(ValueError, match="it"):
            base58.decode_checked(wrong)


def test_the_curves_edges():
    """The neighbours of the point in infinity, where sums of points go another way."""
    base = curve.BASE
    assert curve.shifted(base, 1) == curve.read(native.public((2).to_bytes(32)))
    assert curve.shifted(base, 0) == base == curve.shifted(base, curve.ORDER)
    with pytest.raises(ValueError, match="infinity"):
        curve.shifted(base, curve.ORDER - 1)
    with pytest.raises(ValueError, match=r"infinity|invalid"):
        native.shifted(curve.compressed(base), (curve.ORDER - 1).to_bytes(32))
    with pytest.raises(ValueError, match="not on the curve"):
        curve.read(b"\x02" + (5).to_bytes(32))
    with pytest.raises(ValueError, match="not on the curve"):
        curve.read(b"\x02" + (curve.P + 1).to_bytes(32))
    with pytest.raises(ValueError, match="no public key"):
        curve.read(b"\x04" + bytes(64))


def test_ed25519s_edges():
    p = 2**255 - 19
    assert ed25519.is_key((1).to_bytes(32, "little"))
    for wrong in (p.to_bytes(32, "little"), ((1 << 255) | 1).to_bytes(32, "little"), (2).to_bytes(32, "little"), b""):
        assert not ed25519.is_key(wrong)


def test_a_sealed_seed_opens_only_in_its_place():
    keys = sealing.read_keys(sealing.write_key("k1", bytes(range(32))))
    text = sealing.seal(SEED, keys, place="BTC_SEED", asset="BTC", nonce=bytes(12))
    assert sealing.unseal(text, keys, place="BTC_SEED", asset="BTC") == SEED
    for place, asset in (("LTC_SEED", "BTC"), ("BTC_SEED", "LTC")):
        with pytest.raises(KeyTrouble, match="does not open"):
            sealing.unseal(text, keys, place=place, asset=asset)
