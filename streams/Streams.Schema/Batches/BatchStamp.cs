namespace Streams.Schema;

/// <summary>What a batch says about its producer, beside its name.</summary>
/// <param name="SensorEpoch">Sensor instance whose sequences the rows carry; user-space producers give their epoch. Never zero.</param>
/// <param name="ClockOffset">Microseconds, wall clock minus boot clock, used for <c>time</c>; 0 when the wall clock was read directly.</param>
/// <param name="CatalogueVersion">Catalogue to write in: the older of the producer's and the reader's. The columns that it does not have
/// are left out; a class that it does not have is written in this build's.</param>
public readonly record struct BatchStamp(Epoch SensorEpoch, long ClockOffset = 0, ushort CatalogueVersion = Catalogue.Version);
