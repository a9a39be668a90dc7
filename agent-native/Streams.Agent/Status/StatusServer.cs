using System.Net.Sockets;
using Streams.Agent.Logging;
using Streams.Agent.Modules.Core;
using Streams.Agent.Processes;

namespace Streams.Agent.Status;

/// <summary>
/// Answers every connection on the unix socket with one JSON document and closes it. Blocking, one thread, one caller at a time: it costs
/// nothing while nobody asks. Only the owner may connect (mode 0600 in a folder of mode 0700).
/// </summary>
internal sealed class StatusServer : IDisposable
{
    private const int SendTimeoutMilliseconds = 1000;

    private readonly string _path;
    private readonly Func<byte[]> _report;
    private readonly AgentLog _log;
    private readonly Socket _listener;
    private readonly Thread _thread;
    private volatile bool _stopping;

    /// <param name="path">Path of the socket; what is there is removed (the caller holds the state directory's lock).</param>
    /// <param name="report">Makes the document; called on the server's thread.</param>
    /// <exception cref="AgentException">The socket cannot be made.</exception>
    public StatusServer(string path, ThreadRegistry threads, AgentLog log, Func<byte[]> report)
    {
        _path = path;
        _report = report;
        _log = log;
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            File.Delete(path);
            _listener.Bind(new UnixDomainSocketEndPoint(path));
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            _listener.Listen(4);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            _listener.Dispose();
            throw new AgentException($"status socket {path} cannot be made ({e.Message}); set state_directory to a folder that the agent may write to");
        }

        _thread = ModuleThread.Start(ModuleName.Core, "status", threads, Run, reason => log.Warn(AgentEvent.StatusFailed, ModuleName.Core, "status: " + reason));
    }

    public void Dispose()
    {
        _stopping = true;
        _listener.Dispose();
        _thread.Join(TimeSpan.FromSeconds(2));
        File.Delete(_path);
    }

    private void Run()
    {
        while (!_stopping)
        {
            try
            {
                using var client = _listener.Accept();
                client.SendTimeout = SendTimeoutMilliseconds;
                var report = _report();
                for (var sent = 0; sent < report.Length;)
                    sent += client.Send(report.AsSpan(sent));
                client.Shutdown(SocketShutdown.Send);
            }
            catch (SocketException e) when (!_stopping)
            {
                _log.Debug(AgentEvent.StatusRequest, ModuleName.Core, "status request: " + e.Message);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException && _stopping)
            {
                return;
            }
        }
    }
}
