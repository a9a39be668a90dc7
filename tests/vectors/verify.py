#!/usr/bin/env python3
"""Recomputes every value of the vector files from their inputs, after PROTOCOL.md and with none of our code.

Needs python3-nacl (libsodium: Ed25519 and X25519) and python3-cryptography (OpenSSL: HKDF's HMAC and ChaCha20-Poly1305).
Usage: verify.py [--mutants] [directory]. Prints a line per file; exits with 1 at the first value that differs. With --mutants it flips the first and
the last bit of every value in turn, and exits with 1 when it finds one that it does not notice.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from nacl import bindings
from nacl.exceptions import CryptoError

import batch
import proof
import refused

ARGUMENTS = [argument for argument in sys.argv[1:] if argument != "--mutants"]
DIRECTORY = pathlib.Path(ARGUMENTS[0] if ARGUMENTS else pathlib.Path(__file__).parent)
FILES = ["handshake-v1.json", "enrol-v1.json", "identity-v1.json", "documents-v1.json", "json-v1.json", "digest-chain-v1.json", "refused-v1.json"]
MUTANT = {}


class Mismatch(Exception):
    pass


def load(name):
    values = {key: bytes.fromhex(value) for key, value in json.loads((DIRECTORY / name).read_text()).items()}
    for key, flip in MUTANT.get(name, {}).items():
        values[key] = flip(values[key])
    return values


def check(name, expected, computed):
    if expected != computed:
        raise Mismatch(f"{name}: the file has {expected.hex() if isinstance(expected, bytes) else expected}\n"
                       f"    computed is {computed.hex() if isinstance(computed, bytes) else computed}")


def h(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def str8(value):
    return bytes([len(value)]) + value


def str16(value):
    return struct.pack(">H", len(value)) + value


def hkdf_extract(salt, material):
    return hmac.new(salt, material, hashlib.sha256).digest()


def hkdf_expand(key, info, length):
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.new(key, block + info + bytes([counter]), hashlib.sha256).digest()
        output += block
        counter += 1
    return output[:length]


def signing_input(context, data):
    return b"\x20" * 64 + b"streams/1 " + context.encode() + b"\0" + data


def sign(seed, context, data):
    _, secret = bindings.crypto_sign_seed_keypair(seed)
    return bindings.crypto_sign(signing_input(context, data), secret)[:64]


def verifies(key, context, data, signature):
    try:
        bindings.crypto_sign_open(signature + signing_input(context, data), key)
        return True
    except CryptoError:
        return False


def check_signed(name, seed, key, context, data, signature):
    """Ed25519 is deterministic: the signature is made again, and verified, and is good for no other data."""
    check(name, signature, sign(seed, context, data))
    check(name, True, verifies(key, context, data, signature))
    check(name + " over other data", False, verifies(key, context, data + b"\0", signature))
    check(name + " in another context", False, verifies(key, context + " ", data, signature))


class Direction:
    """Keys of one direction: key_epoch by key_epoch, as the sender raises it."""

    def __init__(self, secret):
        self.epochs = []
        for _ in range(2):
            self.epochs.append((secret, hkdf_expand(secret, b"key", 32), hkdf_expand(secret, b"iv", 12)))
            secret = hkdf_expand(secret, b"next", 32)

    def seal(self, frame_type, lane_class, key_epoch, counter, plaintext):
        header = struct.pack(">BBBBIQI", 1, frame_type, 0, lane_class, key_epoch, counter, len(plaintext))
        _, key, iv = self.epochs[key_epoch]
        nonce = bytes(a ^ b for a, b in zip(iv, b"\0" * 4 + struct.pack(">Q", counter)))
        return header + ChaCha20Poly1305(key).encrypt(nonce, plaintext, header)

    def refuses(self, frame, key_epoch, counter):
        _, key, iv = self.epochs[key_epoch]
        nonce = bytes(a ^ b for a, b in zip(iv, b"\0" * 4 + struct.pack(">Q", counter)))
        try:
            ChaCha20Poly1305(key).decrypt(nonce, frame[20:], frame[:20])
            return False
        except InvalidTag:
            return True


class Session:
    """Z, h3 and all that follows from them."""

    def __init__(self, z, h3):
        self.prk = hkdf_extract(h3, z)
        self.a2g = Direction(hkdf_expand(self.prk, b"streams/1 a2g" + h3, 32))
        self.g2a = Direction(hkdf_expand(self.prk, b"streams/1 g2a" + h3, 32))
        self.id = hkdf_expand(self.prk, b"streams/1 session id" + h3, 16)
        self.exporter = hkdf_expand(self.prk, b"streams/1 exporter" + h3, 32)


def check_certificate(v):
    certificate = v["gateway_certificate"]
    now = 1_750_000_000
    signed = str8(b"gw-1") + v["gateway_pk"] + struct.pack(">QQQ", now - 60, now + 3600, 42) + h(v["root_pk"])[:8]
    check("gateway_certificate", certificate[:-64], signed)
    check_signed("root_sig", v["root_seed"], v["root_pk"], "gateway certificate", signed, certificate[-64:])


def check_transcript(v, names, agent_id):
    """M1 to M3 from their fields; gives the hashes, which `names` of the file must equal."""
    prologue = str8(b"streams/1") + str16(v["offered_subprotocols"]) + str8(v["selected_subprotocol"]) + str16(v["request_path"])
    hashes = [h(b"streams/1 transcript\0", prologue)]
    m1 = (bytes([1, 1, 1]) + str8(bytes([1])) + v["gateway_certificate"] + v["gateway_ephemeral_public"] + v["gateway_nonce"]
          + struct.pack(">Q", 1_750_000_000_000_000))
    check("m1", names["m1"], m1)
    hashes.append(h(hashes[0], m1))
    mode = 1 if agent_id else 2
    claims = struct.pack(">Q", 1_750_000_000_250_000) + (112233445566778899).to_bytes(16, "big") + (998877665544332211).to_bytes(16, "big")
    m2 = (bytes([2, 1, 1, mode]) + str8(agent_id) + v["agent_pk"] + v["agent_ephemeral_public"] + v["agent_nonce"] + claims
          + struct.pack(">Q", 7) + bytes((0x77 + i * 3) & 0xff for i in range(32)))
    check("m2", names["m2"][:-64], m2)
    check_signed("sig_a", v["agent_seed"], v["agent_pk"], "agent auth", h(hashes[1], m2), names["m2"][-64:])
    hashes.append(h(hashes[1], names["m2"]))
    check("m3", names["m3"][:1], b"\x03")
    check_signed("sig_g", v["gateway_seed"], v["gateway_pk"], "gateway auth", h(hashes[2], b"\x03"), names["m3"][1:])
    hashes.append(h(hashes[2], names["m3"]))
    return prologue, hashes


def check_frame(v, name, direction, frame_type, lane_class, key_epoch, counter):
    frame = direction.seal(frame_type, lane_class, key_epoch, counter, v[name + "_plaintext"])
    check(name, v[name + "_frame"], frame)
    check(name + " at the next counter", True, direction.refuses(frame, key_epoch, counter + 1))
    check(name + " with another type", True, direction.refuses(frame[:1] + bytes([frame[1] ^ 1]) + frame[2:], key_epoch, counter))


def check_message(name, payload, session, from_agent, seed, key, key_epoch, counter, message_type, channel, message_id, module, document):
    head = (bytes([message_type, channel]) + str8(message_id) + str8(module) + struct.pack(">Q", 1_750_000_001_000_000)
            + struct.pack(">I", len(document)) + document)
    check(name, payload[:-64], head)
    data = session.id + bytes([0 if from_agent else 1]) + struct.pack(">IQ", key_epoch, counter) + h(head)
    check_signed(name + " signature", seed, key, "control message", data, payload[-64:])


def check_handshake():
    v = load("handshake-v1.json")
    for name in ("root", "gateway", "agent"):
        check(name + "_pk", v[name + "_pk"], bindings.crypto_sign_seed_keypair(v[name + "_seed"])[0])
    for name in ("gateway", "agent"):
        check(name + "_ephemeral_public", v[name + "_ephemeral_public"], bindings.crypto_scalarmult_base(v[name + "_ephemeral_secret"]))
    check_certificate(v)
    prologue, hashes = check_transcript(v, v, b"agent-001")
    check("prologue", v["prologue"], prologue)
    for i, value in enumerate(hashes):
        check(f"h{i}", v[f"h{i}"], value)
    z = bindings.crypto_scalarmult(v["gateway_ephemeral_secret"], v["agent_ephemeral_public"])
    check("z", v["z"], z)
    check("z of the agent", v["z"], bindings.crypto_scalarmult(v["agent_ephemeral_secret"], v["gateway_ephemeral_public"]))
    session = Session(z, hashes[3])
    check("prk", v["prk"], session.prk)
    check("session_id", v["session_id"], session.id)
    check("exporter", v["exporter"], session.exporter)
    for name, direction in (("a2g", session.a2g), ("g2a", session.g2a)):
        for epoch, (secret, key, iv) in enumerate(direction.epochs):
            check(f"s_{name}_{epoch}", v[f"s_{name}_{epoch}"], secret)
            check(f"key_{name}_{epoch}", v[f"key_{name}_{epoch}"], key)
            check(f"iv_{name}_{epoch}", v[f"iv_{name}_{epoch}"], iv)
    for name, direction, frame_type, lane_class, key_epoch, counter in (
            ("f0_session", session.g2a, 64, 0, 0, 0), ("f0_ready", session.a2g, 1, 0, 0, 0),
            ("f1_credit", session.g2a, 65, 0, 0, 1), ("f1_data", session.a2g, 2, 3, 0, 1),
            ("f2_data_after_rekey", session.a2g, 2, 3, 1, 0), ("f2_message_g2a", session.g2a, 71, 0, 0, 2),
            ("f3_message_a2g", session.a2g, 5, 0, 1, 1), ("f3_token", session.g2a, 72, 0, 0, 3),
            ("f4_error_a2g", session.a2g, 6, 0, 1, 2), ("f4_error_g2a", session.g2a, 73, 0, 0, 4)):
        check_frame(v, name, direction, frame_type, lane_class, key_epoch, counter)
    check_plaintexts(v)
    check_message("message_g2a", v["f2_message_g2a_plaintext"], session, False, v["gateway_seed"], v["gateway_pk"], 0, 2,
                  1, 4, b"cmd-1", b"core", b'{"kind":"status"}')
    check_message("message_a2g", v["f3_message_a2g_plaintext"], session, True, v["agent_seed"], v["agent_pk"], 1, 1,
                  2, 4, b"cmd-1", b"core", b'{"state":"received"}')
    return v


def check_plaintexts(v):
    revocations = revocation_list(v["root_seed"], v["root_pk"])
    watermark = (998877665544332211).to_bytes(16, "big") + struct.pack(">II", 3, 17)
    digest = bytes((0x77 + i * 3) & 0xff for i in range(32))
    check("f0_session_plaintext", v["f0_session_plaintext"],
          str16(b"header.claims.signature") + struct.pack(">Q", 5) + str8(b"gw-1") + struct.pack(">H", 1) + digest
          + struct.pack(">IHHI", 262144, 64, 30, 86400) + struct.pack(">H", 1) + watermark + str16(revocations))
    check("f0_ready_plaintext", v["f0_ready_plaintext"], struct.pack(">QH", 5, 1) + str8(b"0.1.0") + str8(b"host-1"))
    check("f1_credit_plaintext", v["f1_credit_plaintext"], struct.pack(">6Q", 0, 16384, 16384, 65536, 16384, 0))
    check("f1_data_plaintext", v["f1_data_plaintext"], bytes(range(256)))
    check("f3_token_plaintext", v["f3_token_plaintext"], str16(b"header.claims.signature"))
    error = struct.pack(">HB", 5, 4) + str8(b"cmd-1") + str8(b"")
    check("f4_error_plaintext", (v["f4_error_a2g_plaintext"], v["f4_error_g2a_plaintext"]), (error, error))


def revocation_list(root_seed, root_key):
    signed = struct.pack(">QQH2Q", 3, 1_750_000_000, 2, 7, 41) + h(root_key)[:8]
    return signed + sign(root_seed, "gateway revocations", signed)


def check_enrolment(handshake):
    v = load("enrol-v1.json")
    _, hashes = check_transcript(handshake, v, b"")
    check("h3", v["h3"], hashes[3])
    session = Session(handshake["z"], hashes[3])
    check("session_id", v["session_id"], session.id)
    check_frame(v, "f0_session", session.g2a, 64, 0, 0, 0)
    check_frame(v, "f0_ready", session.a2g, 1, 0, 0, 0)
    check_frame(v, "f1_message_a2g", session.a2g, 5, 0, 0, 1)
    check("f0_session_plaintext", v["f0_session_plaintext"][:10], struct.pack(">HQ", 0, 0))
    check("f0_ready_plaintext", v["f0_ready_plaintext"], struct.pack(">QH", 0, 1) + str8(b"0.1.0") + str8(b"host-1"))
    check_message("f1_message_a2g", v["f1_message_a2g_plaintext"], session, True, handshake["agent_seed"], handshake["agent_pk"], 0, 1,
                  1, 3, b"enrol-1", b"core", b'{"token":"id.secret"}')


def check_statements(handshake):
    v = load("identity-v1.json")
    check("next_root_pk", v["next_root_pk"], bindings.crypto_sign_seed_keypair(v["next_root_seed"])[0])
    check("new_agent_pk", v["new_agent_pk"], bindings.crypto_sign_seed_keypair(v["new_agent_seed"])[0])
    check("revocations", v["revocations"], revocation_list(handshake["root_seed"], v["root_pk"]))
    for name, seed, key in (("root_succession", handshake["root_seed"], v["root_pk"]), ("root_retirement", v["next_root_seed"], v["next_root_pk"])):
        signed = v["next_root_pk"] + struct.pack(">Q", 1_750_000_000) + h(key)[:8]
        check(name, v[name][:-64], signed)
        check_signed(name, seed, key, "fleet root", signed, v[name][-64:])
    statement = str8(b"agent-001") + v["agent_pk"] + v["new_agent_pk"]
    check_signed("rotation_signature_old", handshake["agent_seed"], v["agent_pk"], "agent key rotation", statement, v["rotation_signature_old"])
    check_signed("rotation_signature_new", v["new_agent_seed"], v["new_agent_pk"], "agent key rotation", statement, v["rotation_signature_new"])


def check_documents(handshake, statements):
    v = load("documents-v1.json")
    second, micro = 1_750_000_000, 1_750_000_000_000_000
    certificates = {}
    for name, signer, serial, context in (("service", b"actions", 43, "service certificate"), ("operator", b"alice", 44, "operator certificate")):
        check(name + "_pk", v[name + "_pk"], bindings.crypto_sign_seed_keypair(v[name + "_seed"])[0])
        signed = str8(signer) + v[name + "_pk"] + struct.pack(">QQQ", second - 60, second + 3600, serial) + h(handshake["root_pk"])[:8]
        certificates[name] = signed + sign(handshake["root_seed"], context, signed)
        check(name + "_certificate", v[name + "_certificate"], certificates[name])
    for kind, number, signer, arguments in (("status", 1, "service", ()), ("kill", 2, "operator", (("pid", "4711"), ("reason", "gründlich")))):
        head = (b"\x01" + number.to_bytes(16, "big") + str8(kind.encode()) + bytes([1 if signer == "service" else 2]) + str8(certificates[signer]) + str8(b"alice")
                + struct.pack(">QQQQ", number, micro, micro, micro + 600_000_000) + struct.pack(">H", 2) + str8(b"agent-001") + str8(b"agent-002")
                + bytes([len(arguments)]) + b"".join(str8(name.encode()) + str16(value.encode()) for name, value in arguments))
        check(kind, v[kind][:-64], head)
        check(kind + "_digest", v[kind + "_digest"], h(head))
        check_signed(kind + " signature", v[signer + "_seed"], v[signer + "_pk"], "command", h(head), v[kind][-64:])
    text = lambda value: base64.urlsafe_b64encode(value).rstrip(b"=").decode()
    check("status_request", json.loads(v["status_request"]), {"command": text(v["status"])})
    for name, detail, result in (("received", "", b""), ("finished", "grün", b'{"pid":4711}')):
        answer = (b"\x01" + (1).to_bytes(16, "big") + v["status_digest"] + str8(b"agent-001") + str8(name.encode()) + struct.pack(">Q", micro)
                  + str16(detail.encode()) + struct.pack(">I", len(result)) + result)
        check("status_" + name, v["status_" + name][:-64], answer)
        check_signed(f"status_{name} signature", handshake["agent_seed"], handshake["agent_pk"], "command answer", h(answer), v["status_" + name][-64:])
    check("status_response", json.loads(v["status_response"]), {"answer": text(v["status_finished"])})
    secret = bytes((0x70 + i * 3) & 0xff for i in range(32))
    check("token", v["token"].decode(), f"0123456789abcdef.{text(secret)}.{text(handshake['root_pk'])}")
    seed = hkdf_expand(secret, b"streams/1 enrolment key" + b"0123456789abcdef", 32)
    check("token_pk", v["token_pk"], bindings.crypto_sign_seed_keypair(seed)[0])
    statement = str8(b"0123456789abcdef") + handshake["agent_pk"] + str8(b"host-1")
    check("enroll_request", json.loads(v["enroll_request"]),
          {"enroll": {"token": "0123456789abcdef", "signature": text(sign(seed, "enrolment", statement)), "host": "host-1"}, "rotate": None})
    check("enroll_answer", json.loads(v["enroll_answer"]),
          {"refused": "none", "agent_id": "agent-001", "public_key": text(handshake["agent_pk"]), "serial": 9})
    check("rotate_request", json.loads(v["rotate_request"]), {"enroll": None, "rotate": {
        "public_key": text(statements["new_agent_pk"]), "old_signature": text(statements["rotation_signature_old"]),
        "new_signature": text(statements["rotation_signature_new"])}})


class JsonDirection:
    """Checks envelopes of one direction, one after the other."""

    def __init__(self, session, from_agent, seed, key):
        self.session, self.from_agent, self.seed, self.key = session, from_agent, seed, key
        self.direction = session.a2g if from_agent else session.g2a
        self.key_epoch, self.counter = 0, 0

    def check(self, name, text, message_id, message_type, channel, module, token, salt, content):
        envelope = json.loads(text)
        _, key, iv = self.direction.epochs[self.key_epoch]
        nonce = bytes(a ^ b for a, b in zip(iv, b"\0" * 4 + struct.pack(">Q", self.counter)))
        aad = (str16(message_id) + str16(message_type) + str16(channel) + struct.pack(">Q", 1_750_000_001_000_000) + str16(b"agent-001") + str16(module)
               + h(token) + bytes([0 if self.from_agent else 1]))
        plaintext = bytes([salt]) * 16 + content
        signature = base64.b64decode(envelope["signature"], validate=True)
        data = self.session.id + bytes([0 if self.from_agent else 1]) + nonce + h(aad) + h(plaintext)
        check_signed(name + " signature", self.seed, self.key, "json message", data, signature)
        check(name, envelope, {
            "id": message_id.decode(), "type": message_type.decode(), "channel": channel.decode(),
            "payload": base64.b64encode(ChaCha20Poly1305(key).encrypt(nonce, plaintext, aad)).decode(), "timestamp": 1_750_000_001_000_000,
            "nonce": base64.b64encode(nonce).decode(), "signature": base64.b64encode(signature).decode(),
            "headers": {"agent_id": "agent-001", "module_id": module.decode(), "session_token": token.decode()}})
        self.counter += 1

    def rekey(self):
        self.key_epoch, self.counter = self.key_epoch + 1, 0


def check_json(handshake):
    v = load("json-v1.json")
    names = {}
    for name, message_type, agent in (("m1", "request", ""), ("m2", "response", "agent-001"), ("m3", "event", "agent-001"), ("refusal", "event", "")):
        envelope = json.loads(v[name])
        names[name] = base64.b64decode(envelope["payload"], validate=True)
        check(name, envelope, {
            "id": "auth", "type": message_type, "channel": "auth", "payload": base64.b64encode(names[name]).decode(), "timestamp": 1_750_000_001_000_000,
            "nonce": "", "signature": "", "headers": {"agent_id": agent, "module_id": "comm", "session_token": ""}})
    check("refusal", b"\x0f\x01", names["refusal"])
    selected = dict(handshake, offered_subprotocols=b"streams.v1.json", selected_subprotocol=b"streams.v1.json")
    _, hashes = check_transcript(selected, names, b"agent-001")
    check("h3", v["h3"], hashes[3])
    session = Session(handshake["z"], hashes[3])
    check("session_id", v["session_id"], session.id)
    gateway = JsonDirection(session, False, handshake["gateway_seed"], handshake["gateway_pk"])
    agent = JsonDirection(session, True, handshake["agent_seed"], handshake["agent_pk"])
    token, epoch = b"header.claims.signature", (998877665544332211).to_bytes(16, "big").hex()
    digest = bytes((0x77 + i * 3) & 0xff for i in range(32)).hex()
    f0 = ('{"token":"header.claims.signature","generation":5,"gateway":"gw-1","catalogue_version":1,"catalogue_digest":"' + digest
          + '","max_frame":262144,"max_open_lanes":64,"heartbeat_seconds":30,"session_seconds":86400,"watermarks":[{"epoch":"' + epoch
          + '","lane":3,"committed":17}],"revocations":""}').encode()
    gateway.check("f0_session", v["f0_session"], b"f0", b"event", b"auth", b"comm", b"", 0xa0, f0)
    agent.check("f0_ready", v["f0_ready"], b"ready", b"response", b"auth", b"comm", token, 0xa1,
                b'{"generation":5,"catalogue_version":1,"agent_version":"0.1.0","host":"host-1"}')
    data = (b'{"epoch":"00000000000000000000000000000001","lane":0,"n":0,"class":"network_connect","schema":1,"events":[{"time":1750000000000000,"seq":1,"pid":7}]}')
    agent.check("f1_data", v["f1_data"], b"00000000000000000000000000000001-0-0", b"event", b"agent.observability", b"observability", token, 0xa2, data)
    agent.check("f2_rekey", v["f2_rekey"], b"rekey", b"event", b"session.flow.rekey", b"comm", token, 0xa3, b'{"key_epoch":1}')
    agent.rekey()
    agent.check("f3_answer", v["f3_answer"], b"cmd-1", b"response", b"agent.control.status", b"core", token, 0xa4, b'{"state":"received"}')


def check_all(say):
    handshake = check_handshake()
    say("handshake-v1.json: certificate, transcript, keys, frames, rekey, messages")
    check_enrolment(handshake)
    say("enrol-v1.json: transcript, frames, message to the registry")
    check_statements(handshake)
    say("identity-v1.json: revocations, succession of roots, rotation of a key")
    check_documents(handshake, load("identity-v1.json"))
    say("documents-v1.json: certificates of issuers, commands, enrolment, rotation")
    check_json(handshake)
    say("json-v1.json: handshake, nonces, sealing, signatures, rekey")
    say("batch-v1.json, batch-v1.bin: " + batch.check(DIRECTORY, check))
    say("batch-v2.json, batch-v2.bin: " + batch.check_encoded(DIRECTORY, check))
    checkpoint = proof.check(DIRECTORY, load, check)
    check_signed("checkpoint_signature", handshake["agent_seed"], handshake["agent_pk"], "batch proof", checkpoint,
                 load("identity-v1.json")["checkpoint_signature"])
    say("digest-chain-v1.json: digests, chain, checkpoint and its signature")
    say("refused-v1.json: " + refused.check(load("refused-v1.json"), handshake, check))


def check_mutants():
    count = 0
    for name in FILES:
        for key, value in load(name).items():
            for flip in (lambda b: bytes([b[0] ^ 0x80]) + b[1:], lambda b: b[:-1] + bytes([b[-1] ^ 1])):
                MUTANT[name] = {key: flip}
                try:
                    check_all(lambda line: None)
                except (Mismatch, CryptoError, ValueError):
                    count += 1
                else:
                    raise Mismatch(f"{name}: {key} may be anything")
                finally:
                    MUTANT.clear()
    print(count, "mutants found")


try:
    if "--mutants" in sys.argv:
        check_mutants()
    else:
        check_all(print)
except Mismatch as mismatch:
    sys.exit(str(mismatch))
