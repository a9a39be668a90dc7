using System.Diagnostics.Metrics;
using Akka.Actor;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Streams.Gateway;

/// <summary>Puts the gateway role into a host.</summary>
public static class GatewayServices
{
    /// <summary>
    /// Adds <see cref="GatewayServer"/> as a hosted service. The host must have an <see cref="ActorSystem"/> whose configuration contains
    /// <see cref="Stages.GraphSettings.Configuration"/>.
    /// </summary>
    /// <exception cref="GatewayException">The options are not valid; the message is the first problem.</exception>
    public static IServiceCollection AddStreamsGateway(this IServiceCollection services, GatewayOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (GatewayOptionsValidator.Validate(options) is { Count: > 0 } problems)
        {
            throw new GatewayException(problems[0]);
        }

        services.AddSingleton(options);
        services.AddSingleton(provider => new GatewayMetrics(provider.GetService<IMeterFactory>()));
        services.AddSingleton(provider => new GatewayServer(
            options,
            provider.GetRequiredService<ActorSystem>(),
            provider.GetRequiredService<GatewayMetrics>(),
            provider.GetRequiredService<ILoggerFactory>(),
            provider.GetService<TimeProvider>()));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<GatewayServer>());
        return services;
    }
}
