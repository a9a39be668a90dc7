using System.Runtime.InteropServices;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Handles;

/// <summary>A program attached to something. Disposing detaches it, unless the link is pinned.</summary>
public sealed class BpfLink : SafeHandle
{
    internal BpfLink(nint link)
        : base(0, ownsHandle: true) => SetHandle(link);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>File descriptor of the link; for a perf event link that of the event.</summary>
    public int Descriptor => Libbpf.bpf_link__fd(this);

    /// <summary>Opens a pinned link.</summary>
    /// <exception cref="BpfException">There is no link at the path.</exception>
    public static BpfLink OpenPinned(string path)
    {
        LibbpfLog.Begin();
        var link = Libbpf.bpf_link__open(path);
        var errno = Marshal.GetLastPInvokeError();
        var log = LibbpfLog.End();
        if (link == 0)
        {
            BpfException.Throw($"open pinned link {path}", errno, log);
        }
        return new BpfLink(link);
    }

    /// <summary>Pins the link on a bpffs: the program stays attached when this process ends.</summary>
    /// <exception cref="BpfException">For example EINVAL for a link that is a perf event on an old kernel.</exception>
    public void Pin(string path)
    {
        LibbpfLog.Begin();
        var result = Libbpf.bpf_link__pin(this, path);
        var log = LibbpfLog.End();
        if (result < 0)
        {
            BpfException.Throw($"pin link to {path}", -result, log);
        }
    }

    /// <summary>Removes the pin.</summary>
    public void Unpin() => BpfException.Check(Libbpf.bpf_link__unpin(this), "unpin link");

    /// <summary>What the kernel says about the link.</summary>
    /// <exception cref="BpfException">A perf event link of a kernel before 5.15 is no link to the kernel.</exception>
    public LinkInfo ReadInfo() => LinkInfo.Read(Descriptor);

    /// <summary>Runs an iterator to its end and returns what it printed with bpf_seq_write, as bytes.</summary>
    /// <exception cref="BpfException">The link is no iterator's.</exception>
    public unsafe byte[] ReadIterator()
    {
        var descriptor = BpfException.Check(Libbpf.bpf_iter_create(Descriptor), "create iterator");
        try
        {
            using var output = new MemoryStream();
            var buffer = stackalloc byte[4096];
            while (true)
            {
                var read = Libc.read(descriptor, buffer, 4096);
                if (read > 0)
                {
                    output.Write(new ReadOnlySpan<byte>(buffer, (int)read));
                }
                else if (read == 0)
                {
                    return output.ToArray();
                }
                else if (Marshal.GetLastPInvokeError() is not (Libc.EAGAIN or Libc.EINTR))
                {
                    BpfException.ThrowLastError("read iterator");
                }
            }
        }
        finally
        {
            _ = Libc.close(descriptor);
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libbpf.bpf_link__destroy(handle) == 0;
}
