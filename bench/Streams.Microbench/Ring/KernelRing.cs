using LibbpfSharp;
using LibbpfSharp.Handles;
using LibbpfSharp.Ring;

namespace Streams.Microbench.Ring;

/// <summary>A real ring buffer in the kernel and the program that fills it.</summary>
internal sealed class KernelRing : IDisposable
{
    private readonly BpfObject _object;

    private KernelRing(BpfObject loaded)
    {
        _object = loaded;
        Reader = RingReader.Open(loaded.Map("ring"));
    }

    public RingReader Reader { get; }

    /// <summary>Why rings cannot be measured here; null when they can.</summary>
    public static string? Unavailable()
    {
        try
        {
            Open().Dispose();
            return null;
        }
        catch (Exception error) when (error is BpfException or DllNotFoundException)
        {
            return $"the ring read needs root and a kernel that loads BPF programs: {error.Message.Split('\n')[0]}";
        }
    }

    /// <exception cref="BpfException">The kernel refused it.</exception>
    public static KernelRing Open()
    {
        using var stream = typeof(KernelRing).Assembly.GetManifestResourceStream("bpf/fill.bpf.o")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var program = BpfObject.Open(bytes, "fill");
        try
        {
            program.Load();
            return new KernelRing(program);
        }
        catch
        {
            program.Dispose();
            throw;
        }
    }

    /// <summary>Puts so many records into the ring, which must have room for them.</summary>
    public void Fill(int records)
    {
        if (_object.Program("fill").TestRun(new byte[64], records) != 2)
        {
            throw new InvalidOperationException("the ring was full");
        }
    }

    public void Dispose()
    {
        Reader.Dispose();
        _object.Dispose();
    }
}
