using LibbpfSharp;
using LibbpfSharp.Handles;
using LibbpfSharp.Maps;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

// Which programs stamp: those of one generation at a time, whatever is attached.
public sealed partial class SensorInstance
{
    private static readonly TimeSpan RestLimit = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// The counters at the moment between the programs of the killed agent and those of this one, when nothing was stamping: the last
    /// numbers that it may have read. Null before <see cref="Attach"/> and for a new instance.
    /// </summary>
    public StampSnapshot? HandOver { get; private set; }

    /// <summary>Attaches the programs, puts them in charge and gives sockets that are open already their owners.</summary>
    /// <remarks>
    /// Taking over: the new programs are attached beside the old ones and do nothing. Then the old ones only count what they see (unseen)
    /// until the numbers rest; counters and numbers fit each other then, and are read. Then the new ones are in charge. No event is
    /// stamped twice: the old programs have seen that they are not in charge before the new ones are told that they are, unless one is
    /// held up for all that time, which is a thousand times what it takes. None escapes uncounted: unseen is part of what is reported as
    /// missed, and may count an event too many that falls on the very change.
    /// </remarks>
    /// <exception cref="BpfException">The kernel refused it; what was attached is detached, and who was in charge still is.</exception>
    public void Attach()
    {
        var before = _control[0].Active;
        try
        {
            _links.Add(_process.Program("on_exec").Attach());
            _links.Add(_process.Program("on_exit").Attach());
            _links.Add(_network.Program("on_state").Attach());
            for (var i = 0; i < _links.Count; i++)
            {
                _links[i].Pin(_pins.LinkFile(_generation, Emitters[i].Program));
            }
            if (IsTakenOver)
            {
                TakeCharge();
            }
            SetActive(_generation);
            using var seed = _network.Program("seed_owners").AttachIterator();
            seed.ReadIterator();
        }
        catch
        {
            SetActive(before);
            RemoveLinks();
            throw;
        }
        RemovePinnedLinks(ours: false);
    }

    /// <summary>Stops the programs: no number is stamped after it.</summary>
    public void Detach()
    {
        if (_links.Count == 0)
        {
            return;
        }
        SetActive(0);
        ReadAtRest();
        RemoveLinks();
    }

    private static uint NextGeneration(PinDirectory pins)
    {
        uint last = 0;
        if (File.Exists(pins.File(SensorMaps.Control)))
        {
            using var map = BpfMap.OpenPinned(pins.File(SensorMaps.Control));
            using var control = new MappedArray<SensorControl>(map);
            last = control[0].Active & ~SensorControl.HandOver;
        }
        foreach (var (generation, _) in pins.Links())
        {
            last = Math.Max(last, generation);
        }
        return last + 1;
    }

    private void TakeCharge()
    {
        var old = _control[0].Active & ~SensorControl.HandOver;
        SetActive(old | SensorControl.HandOver);
        HandOver = ReadAtRest();
        ref var control = ref _control[0];
        if (control.MissedUpTo < old)
        {
            // In this order: an agent that dies in between reports less as missed, never twice.
            Volatile.Write(ref control.MissedUpTo, old);
            LeftLinks.AddMissed(_pins, old, Emitters, ref control.Missed);
        }
    }

    // Programs run for microseconds; one that a hypervisor holds up in the middle is not waited for (a grace period of the kernel would be,
    // but takes 3 s on a busy virtual machine, and events of that time are missed). The reader allows for it: InFlight.
    private StampSnapshot ReadAtRest()
    {
        StampSnapshot before = new(), now = new();
        Read(now);
        var until = Environment.TickCount64 + (long)RestLimit.TotalMilliseconds;
        do
        {
            (before, now) = (now, before);
            Thread.Sleep(1);
            Read(now);
        }
        while (!now.HasNumbersOf(before) && Environment.TickCount64 < until);
        return now;
    }

    private void SetActive(uint active) => Volatile.Write(ref _control[0].Active, active);

    private void RemoveLinks()
    {
        foreach (var link in _links)
        {
            link.Dispose();
        }
        _links.Clear();
        RemovePinnedLinks(ours: true);
    }

    private void RemovePinnedLinks(bool ours)
    {
        foreach (var (generation, path) in _pins.Links())
        {
            if (generation == _generation == ours)
            {
                File.Delete(path);
            }
        }
    }
}
