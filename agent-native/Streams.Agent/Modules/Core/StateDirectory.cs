using Microsoft.Win32.SafeHandles;
using Streams.Agent.Processes;

namespace Streams.Agent.Modules.Core;

/// <summary>The agent's folder, made with mode 0700, and its lock: two agents with one state directory would share a status socket.</summary>
internal sealed class StateDirectory : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly SafeFileHandle _lock;

    private StateDirectory(string path, SafeFileHandle handle)
    {
        Path = path;
        _lock = handle;
    }

    public string Path { get; }

    /// <exception cref="AgentException">The folder cannot be made or another agent holds its lock.</exception>
    public static StateDirectory Open(string path)
    {
        SafeFileHandle handle;
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
            handle = File.OpenHandle(System.IO.Path.Combine(path, "agent.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AgentException($"state directory {path} cannot be used ({e.Message}); set state_directory to a folder that the agent may write to");
        }

        if (Libc.flock((int)handle.DangerousGetHandle(), Libc.LockExclusive | Libc.LockNonBlocking) == 0)
            return new StateDirectory(path, handle);
        handle.Dispose();
        throw new AgentException($"another agent runs with state directory {path}; stop it or set another state_directory");
    }

    public void Dispose() => _lock.Dispose();
}
