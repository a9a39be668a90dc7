using System.Net;

namespace Streams.Gateway;

/// <summary>
/// Settings of the gateway role. Every default has its reason here; <see cref="GatewayOptionsValidator"/> is the one place that checks them.
/// <para>A new setting: add a property with its default and reason, a line in the validator, a test of the bound, an option in Streams.Host.</para>
/// </summary>
public sealed record GatewayOptions
{
    /// <summary>Where agents connect. Loopback until somebody decides otherwise.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 8080);

    /// <summary>PEM file with the certificate of the agents' port, the server's own first; with <see cref="TlsKeyFile"/> the port speaks TLS.</summary>
    public string? TlsCertificateFile { get; init; }

    /// <summary>PEM file with that certificate's private key, not readable by everybody.</summary>
    public string? TlsKeyFile { get; init; }

    /// <summary>How often the two files are looked at for a renewal.</summary>
    public TimeSpan TlsInterval { get; init; } = Encryption.TlsCertificate.DefaultInterval;

    /// <summary>Whether this gateway asks the Registry for agents, to let new ones in and for new keys. False where only known agents are expected.</summary>
    public bool Registration { get; init; } = true;

    /// <summary>How often the gateway's own key and certificate are looked at for newer ones. 5 s, as for TLS.</summary>
    public TimeSpan KeysInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Networks of proxies whose connections begin with a PROXY header, which names the source; from them nothing else is taken.</summary>
    public IReadOnlyList<IPNetwork> ProxyFrom { get; init; } = [];

    /// <summary>Where the operator's HTTP is (mapped by the host program). Plain HTTP, hence loopback.</summary>
    public IPEndPoint OperatorListen { get; init; } = new(IPAddress.Loopback, 8081);

    /// <summary>The queue.</summary>
    public Uri Nats { get; init; } = new("nats://127.0.0.1:4222");

    /// <summary>File with the gateway role's NKey seed.</summary>
    public required string NatsSeedFile { get; init; }

    /// <summary>File with the gateway's Ed25519 key (kind gateway), mode 0600.</summary>
    public required string KeyFile { get; init; }

    /// <summary>File with the certificate that a fleet root made for that key (the certificate's bytes in base64url, one line).</summary>
    public required string CertificateFile { get; init; }

    /// <summary>Ingest partitions; fixed when the queue's streams are made.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>Ingest graphs: one per core, but never more than there are partitions for them to serve.</summary>
    public int Graphs { get; init; } = Environment.ProcessorCount;

    /// <summary>The credit pool, bytes: what all agents together may have in this process. 256 MiB is 1,000 frames of the largest size.</summary>
    public long PoolBytes { get; init; } = 256L << 20;

    /// <summary>Connections at once. 18,000 is what a limit of 20,000 descriptors leaves.</summary>
    public int MaxConnections { get; init; } = 18_000;

    /// <summary>Handshakes at once; each costs at most 4 KB and 5 s.</summary>
    public int MaxHandshakes { get; init; } = 1024;

    /// <summary>
    /// Of them, one source's at once: peers that say nothing hold theirs for 5 s, so no address holds more than an eighth of all. A site that reconnects together
    /// waits for its own places, each of which is free again after some milliseconds.
    /// </summary>
    public int SourceHandshakes { get; init; } = 128;

    /// <summary>
    /// Connections of one source that have no session (yet), whatever they have said so far. A site behind one address has its <see cref="SourceBurst"/> on the way at
    /// once at most; sessions are not counted, so the size of a site, or of a load balancer without a PROXY header, does not matter.
    /// </summary>
    public int SourceConnections { get; init; } = 2048;

    /// <summary>Log lines a second that peers without a session may cause, and as many those with one; ten times that at once. Rows and counters have the rest.</summary>
    public int PeerLogRate { get; init; } = 10;

    /// <summary>How long a connection may wait for a place among them.</summary>
    public TimeSpan HandshakeQueue { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Connections a second of one source (an IPv4 address, an IPv6 /56): 200 cost 4 % of a core.</summary>
    public int SourceRate { get; init; } = 200;

    /// <summary>Connections of one source at once before the rate holds: a site behind one address reconnects together.</summary>
    public int SourceBurst { get; init; } = 2000;

    /// <summary>
    /// Messages a second of one agent; more, beyond <see cref="AgentBurst"/>, end its session. 10,000 are ten times what the protocol asks
    /// a connection to carry; their headers alone cost a third of a core.
    /// </summary>
    public int AgentMessageRate { get; init; } = 10_000;

    /// <summary>Bytes a second of one agent, 128 MiB: a gigabit. A slower limit of an agent that drains its spool is its credit.</summary>
    public long AgentByteRate { get; init; } = 128L << 20;

    /// <summary>Signatures a second that are checked for one agent. At 70 µs each 2,000 are a seventh of a core.</summary>
    public int AgentSignatureRate { get; init; } = 6000;

    /// <summary>How long an agent may go at twice these rates: what a spool of a minute's outage needs to drain.</summary>
    public TimeSpan AgentBurst { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A frame that an agent began must be complete, and one that it is sent must be taken, within this.</summary>
    public TimeSpan FrameTime { get; init; } = TimeSpan.FromSeconds(Wire.Limits.FrameReceiveSeconds);

    /// <summary>
    /// Refused handshakes a minute above which a person is told; over again below half of it. A host with a wrong key tries twice a minute
    /// at most, so these are sixty such hosts, or somebody who tries.
    /// </summary>
    public int AuthFailuresPerMinute { get; init; } = 120;

    /// <summary>How long refusals are counted before they are rows, at most 256 of them: two parts a minute of a table that nobody reads by the second.</summary>
    public TimeSpan RecordInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a stop sends what waits to be rows: twice what a worker's round takes.</summary>
    public TimeSpan FlushPatience { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Seconds between heartbeats, both ways; three missed end a session.</summary>
    public int HeartbeatSeconds { get; init; } = Wire.Limits.DefaultHeartbeatSeconds;

    /// <summary>Seconds a session lives before it starts again with new keys at the latest; it lives 75 to 100 % of it.</summary>
    public int SessionSeconds { get; init; } = Wire.Limits.SessionSeconds;

    /// <summary>
    /// Seconds a session token is good. It says nothing outside its session, so its life bounds only how long one that was seen in a memory dump could be shown there.
    /// </summary>
    public int TokenSeconds { get; init; } = 900;

    /// <summary>How long the worker has to answer where an agent's lanes stand, before the agent is told to come again.</summary>
    public TimeSpan WatermarkTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Publishes in flight per partition: 128 were measured to saturate the queue.</summary>
    public int PublishWindow { get; init; } = 128;
}
