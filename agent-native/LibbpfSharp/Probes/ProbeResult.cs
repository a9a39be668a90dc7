namespace LibbpfSharp.Probes;

/// <summary>Whether the kernel gives something to this process, and if not, why.</summary>
/// <param name="Supported">It was tried and worked.</param>
/// <param name="Errno">0, or the errno of the refusal.</param>
/// <param name="Detail">Words for a person: what failed.</param>
public readonly record struct ProbeResult(bool Supported, int Errno, string Detail);
