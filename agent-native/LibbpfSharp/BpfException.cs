using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace LibbpfSharp;

/// <summary>An operation on the BPF subsystem failed. Carries errno and the lines that libbpf printed during the call.</summary>
public sealed class BpfException : Exception
{
    /// <summary>Makes an exception from an errno.</summary>
    public BpfException(string operation, int errno, string log = "")
        : base(Describe(operation, errno, log))
    {
        Operation = operation;
        Errno = errno;
        Log = log;
    }

    /// <summary>What was tried, for example "load network.bpf".</summary>
    public string Operation { get; }

    /// <summary>The positive errno, for example 1 for EPERM.</summary>
    public int Errno { get; }

    /// <summary>libbpf's own words, including the end of the verifier's log; empty when it said nothing.</summary>
    public string Log { get; }

    internal static int Check(int result, string operation)
    {
        if (result < 0)
        {
            Throw(operation, -result, "");
        }
        return result;
    }

    [DoesNotReturn]
    internal static void Throw(string operation, int errno, string log) => throw new BpfException(operation, errno, log);

    [DoesNotReturn]
    internal static void ThrowLastError(string operation) => throw new BpfException(operation, Marshal.GetLastPInvokeError());

    private static string Describe(string operation, int errno, string log)
    {
        // Codes from 4000 are libbpf's own (enum libbpf_errno); strerror does not know them, and the log explains them.
        var reason = errno >= 4000 ? $"libbpf error {errno}" : $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})";
        return log.Length == 0 ? $"{operation}: {reason}" : $"{operation}: {reason}\n{log}";
    }
}
