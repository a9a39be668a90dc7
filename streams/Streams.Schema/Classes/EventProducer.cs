namespace Streams.Schema;

/// <summary>Who stamps the rows of a class.</summary>
public enum EventProducer : byte
{
    /// <summary>A BPF program: seq per CPU.</summary>
    Kernel,

    /// <summary>A module of the agent in user space: cpu is 65535.</summary>
    Agent,

    /// <summary>A server process.</summary>
    Server,
}
