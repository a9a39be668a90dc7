using System.Diagnostics;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Streams.Local;
using Streams.Testing;
using Xunit.Abstractions;

namespace Streams.EndToEnd.Tests;

/// <summary>`streams serve` with TLS on both ports, and the agent that is built for it.</summary>
public sealed class TlsTests(ITestOutputHelper output) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TempDirectory _directory = new("tls");

    public void Dispose() => _directory.Dispose();

    [RootFact(tls: true)]
    public async Task Events_of_an_agent_with_TLS_become_rows_within_its_budget()
    {
        using var certificates = new TestCertificates(_directory.Path);
        certificates.Issue();
        await using var up = await Up.StartAsync(_directory.File("data"), "--no-agent");
        var (gateway, operators) = (Ports.Free(), Ports.Free());
        using var serve = Serve(up, certificates, gateway, operators);
        var said = serve.StandardOutput.ReadToEndAsync();
        try
        {
            await Eventually.TrueAsync(() => IsServedAsync(operators, certificates.Authority), "operator HTTP answers with TLS", Patience);
            await RunAsync(up, "tls-file", $"wss://127.0.0.1:{gateway}", certificates.AuthorityFile, null);
            // The system's authorities, some hundred of them, and one more.
            await RunAsync(up, "tls-system", $"wss://localhost:{gateway}", null, certificates.AuthorityFile);
        }
        finally
        {
            Up.Signal("TERM", serve.Id);
            await serve.WaitForExitAsync().WaitAsync(Patience);
        }

        Assert.Contains($"operator https://127.0.0.1:{operators}/", await said);
        var binary = new FileInfo(SecureAgent.Program).Length;
        output.WriteLine($"binary {binary / 1e6:0.00} MB");
        Assert.True(binary <= 11_000_000, $"binary {binary}");
    }

    [Fact]
    public async Task Operator_HTTP_without_TLS_stays_on_loopback()
    {
        string[] files = ["nats-gateway-seed", "nats-worker-seed", "clickhouse-password-file", "gateway-key", "gateway-certificate"];
        string[] serve = ["serve", "--nats", "nats://127.0.0.1:1", "--clickhouse", "http://127.0.0.1:1", "--operator-listen", "0.0.0.0:0",
            .. files.SelectMany(file => new[] { $"--{file}", "/dev/null" })];
        var plain = await Run.HostAsync(serve);
        Assert.Equal(2, plain.Code);
        Assert.Contains("give --operator-tls, or say --insecure", plain.ErrorLine);
        var half = await Run.HostAsync([.. serve, "--operator-tls"]);
        Assert.Equal(2, half.Code);
        Assert.Contains("give --tls-certificate and --tls-key too", half.ErrorLine);
        var from = await Run.HostAsync([.. serve, "--insecure", "--proxy-from", "10.0.0.0/8,nonsense"]);
        Assert.Equal(2, from.Code);
        Assert.Contains("--proxy-from nonsense", from.ErrorLine);
    }

    private async Task RunAsync(Up up, string id, string gateway, string? authorityFile, string? systemFile)
    {
        using var agent = await SecureAgent.StartAsync(up, id, _directory.File(id), gateway, authorityFile, systemFile);
        await Eventually.TrueAsync(
            async () => await up.TryQueryAsync($"SELECT count() > 0 FROM host_metric WHERE agent_id = '{id}'") == "1", $"rows of {id}: {agent.Said}", Patience);
        var mark = Guid.NewGuid().ToString("N");
        for (var i = 0; i < 20; i++)
        {
            using var process = Process.Start("/bin/true", [mark]);
            await process.WaitForExitAsync();
        }

        await Eventually.TrueAsync(
            async () => await up.TryQueryAsync($"SELECT count() FROM process_exec WHERE agent_id = '{id}' AND argv LIKE '%{mark}%'") == "20",
            $"each process of {id} is a row",
            Patience);
        var (resident, peak) = await agent.MeasureAsync();
        output.WriteLine($"{id}: resident {resident / 1048576.0:0.00} MiB (median of 10 s), peak {peak / 1048576.0:0.00} MiB");
        Assert.Equal(0, await agent.StopAsync());
        Assert.True(resident <= 24_000_000, $"resident {resident}");
    }

    private static Process Serve(Up up, TestCertificates certificates, int gateway, int operators)
    {
        var endpoints = up.Endpoints;
        var keys = Path.Combine(up.Data, "keys");
        return Process.Start(new ProcessStartInfo(
            "dotnet",
            [
                Path.Combine(Repository.Root, Run.Host), "serve", "--listen", $"127.0.0.1:{gateway}", "--operator-listen", $"127.0.0.1:{operators}",
                "--tls-certificate", certificates.CertificateFile, "--tls-key", certificates.KeyFile, "--operator-tls",
                "--nats", endpoints.Nats, "--nats-gateway-seed", endpoints.NatsSeedFiles["gateway"],
                "--nats-worker-seed", endpoints.NatsSeedFiles["worker"], "--nats-services-seed", endpoints.NatsSeedFiles["services"],
                "--clickhouse", endpoints.ClickHouse, "--clickhouse-password-file", endpoints.ClickHousePasswordFile,
                "--gateway-key", Path.Combine(keys, "gateway.key"), "--gateway-certificate", Path.Combine(keys, "gateway.cert"),
            ])
        {
            RedirectStandardOutput = true,
        })!;
    }

    private static async Task<bool> IsServedAsync(int port, X509Certificate2 authority)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { authority },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        });
        try
        {
            using var answer = await http.GetAsync($"https://localhost:{port}/metrics");
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
