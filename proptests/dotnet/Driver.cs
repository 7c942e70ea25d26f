// Does histories with .NET's own CancellationTokenSource: a history a line on the standard input, as JSON, and what was
// observed of it a line on the standard output. The language is that of the contract's `history` module; the rules by
// which objects are numbered are the same. Handles of a source are counted here: the last one's drop is Dispose.
//
// An answer about a source that is disposed is marked, `["disposed", operation, answer]`: the reader knows which of
// them may differ, and why.
//
// Timeouts go by a clock that stands still if the history moves it; else by the system's, and never come.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

static class Driver
{
    static void Main(string[] arguments)
    {
        if (arguments.Length > 0)
        {
            Speed.Measure();
            return;
        }
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 1 << 16) { AutoFlush = true };
        output.WriteLine($"{{\"runtime\":\"{Environment.Version}\"}}");
        using var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false), false, 1 << 16);
        while (input.ReadLine() is string line)
        {
            using var history = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 256 });
            output.WriteLine(new World().Run(history.RootElement));
        }
    }
}

/// What "panic" throws.
sealed class Number : Exception
{
    public readonly int Value;
    public Number(int value) { Value = value; }
}

/// A source, how many handles it has, and whether its timer goes by the clock of the history.
sealed class Source
{
    public readonly CancellationTokenSource Cts;
    public readonly bool IsClocked;
    public int Handles = 1;
    public Source(CancellationTokenSource cts, bool isClocked) { Cts = cts; IsClocked = isClocked; }
    public bool IsDisposed => Handles == 0;
}

/// A registration and the source of its token, if it has one.
sealed class Registration
{
    public readonly CancellationTokenRegistration Value;
    public readonly Source Of;
    public Registration(CancellationTokenRegistration value, Source of) { Value = value; Of = of; }
    public bool IsOfDisposed => Of != null && Of.IsDisposed;
}

/// A clock that stands still. Timers fire by deadline, ties in order of arming.
sealed class Clock : TimeProvider
{
    readonly List<ClockTimer> timers = new();
    public long Now { get; private set; }
    public int Armings;

    public override ITimer CreateTimer(TimerCallback callback, object state, TimeSpan due, TimeSpan period)
    {
        var timer = new ClockTimer(this, () => callback(state));
        timers.Add(timer);
        timer.Change(due, period);
        return timer;
    }

    public void Advance(int seconds)
    {
        Now += seconds;
        var thrown = new List<Exception>();
        while (timers.Where(timer => timer.Deadline <= Now).MinBy(timer => (timer.Deadline, timer.Arming)) is ClockTimer due)
        {
            due.Deadline = null;
            try { due.Fire(); }
            catch (AggregateException e) { thrown.AddRange(e.InnerExceptions); }
        }
        if (thrown.Count > 0) throw new AggregateException(thrown);
    }
}

sealed class ClockTimer : ITimer
{
    readonly Clock clock;
    public readonly Action Fire;
    public long? Deadline;
    public int Arming;
    public ClockTimer(Clock clock, Action fire) { this.clock = clock; Fire = fire; }

    public bool Change(TimeSpan due, TimeSpan period)
    {
        Arming = clock.Armings++;
        Deadline = due == Timeout.InfiniteTimeSpan ? null : clock.Now + (long)due.TotalSeconds;
        return true;
    }

    public void Dispose() { Deadline = null; }
    public ValueTask DisposeAsync() { Dispose(); return default; }
}

sealed class World
{
    static readonly TimeSpan Never = TimeSpan.FromDays(1);
    readonly List<Source> sources = new();
    readonly List<Source> handles = new();
    readonly List<CancellationToken> tokens = new() { CancellationToken.None, new CancellationToken(true) };
    readonly List<Registration> registrations = new();
    readonly List<string> events = new();
    int callbacks;
    /// The clock of a history that moves it.
    Clock clock;

    public string Run(JsonElement history)
    {
        if (Moves(history)) clock = new Clock();
        foreach (var op in history.EnumerateArray()) Attempt(op);
        foreach (var source in sources) source.Cts.Dispose();
        return "[" + string.Join(",", events) + "]";
    }

    static bool Moves(JsonElement part) =>
        part.ValueKind == JsonValueKind.Array ? part.EnumerateArray().Any(Moves)
        : part.ValueKind == JsonValueKind.String && part.GetString() == "advance";

    void Attempt(JsonElement op)
    {
        try { Perform(op); }
        catch (Exception e) { events.Add($"[\"panic\",{Payload(e)}]"); }
    }

    void Perform(JsonElement op)
    {
        if (op[0].GetString() == "try") Attempt(op[1]);
        else events.Add(Answer(op));
    }

    void PerformAll(JsonElement ops)
    {
        foreach (var op in ops.EnumerateArray()) Perform(op);
    }

    static string Payload(Exception e) => e switch
    {
        Number number => number.Value.ToString(),
        AggregateException many => "[" + string.Join(",", many.InnerExceptions.Select(Payload)) + "]",
        _ => JsonSerializer.Serialize(e.GetType().Name),
    };

    static string Bool(bool value) => value ? "true" : "false";

    /// An answer, marked if it is about a source that is disposed.
    static string Mark(bool disposed, string name, string answer) =>
        disposed ? $"[\"disposed\",\"{name}\",{answer}]" : answer;

    const string Void = "\"-\"";
    const string Done = "\"ok\"";

    string Answer(JsonElement op)
    {
        var name = op[0].GetString();
        switch (name)
        {
            case "new": return Keep(new CancellationTokenSource());
            case "new-timed": return KeepTimed(TimeSpan.FromSeconds(op[1].GetInt32()));
            case "advance":
                clock.Advance(op[1].GetInt32());
                return Done;
            case "linked": return Link(op[1].EnumerateArray().Select(t => Token(t).token).ToArray());
            case "panic": throw new Number(op[1].GetInt32());
            case "tokens-equal": return Bool(Token(op[1]).token == Token(op[2]).token);
            case "register":
            case "register-with-token": return Register(name, op[1], op[2]);
            case "with-callback": return WithCallback(op[1], op[2], op[3]);
            case "registrations-equal": return RegistrationsEqual(op);
            case "polled":
            case "can-be-cancelled":
            case "check":
            case "wait":
            case "wait-now": return AskToken(name, op[1]);
            case "unregister":
            case "dispose":
            case "dispose-async":
            case "detach":
            case "is-empty":
            case "token-of": return WithRegistration(name, op[1]);
            default: return WithSource(name, op);
        }
    }

    string KeepTimed(TimeSpan delay) => clock != null
        ? Keep(new CancellationTokenSource(delay, clock), true)
        : Keep(new CancellationTokenSource(delay == TimeSpan.Zero ? delay : Never));

    string Keep(CancellationTokenSource cts, bool isClocked = false)
    {
        var source = new Source(cts, isClocked);
        sources.Add(source);
        handles.Add(source);
        tokens.Add(cts.Token);
        return Done;
    }

    string Link(CancellationToken[] of) => Keep(of.Length == 0
        ? new CancellationTokenSource()
        : CancellationTokenSource.CreateLinkedTokenSource(of));

    (CancellationToken token, Source source) Token(JsonElement number)
    {
        var index = number.GetInt32() % tokens.Count;
        return (tokens[index], index < 2 ? null : sources[index - 2]);
    }

    string WithSource(string name, JsonElement op)
    {
        if (handles.Count == 0) return Void;
        var index = op[1].GetInt32() % handles.Count;
        var source = handles[index];
        if (source == null) return Void;
        var cts = source.Cts;
        switch (name)
        {
            case "clone":
                source.Handles++;
                handles.Add(source);
                return Done;
            case "drop":
                handles[index] = null;
                if (--source.Handles == 0) cts.Dispose();
                return Done;
            case "source-polled": return Bool(cts.IsCancellationRequested);
            case "cancel": return Cancel(source, () => cts.Cancel());
            case "cancel-fail-fast": return Cancel(source, () => cts.Cancel(true));
            case "try-cancel":
                try { return Cancel(source, () => cts.Cancel()); }
                catch (AggregateException e) { return $"[\"failed\",{Payload(e)}]"; }
            case "cancel-async":
                try { cts.CancelAsync().Wait(); }
                catch (AggregateException e) { return $"[\"failed\",{Payload(e.InnerExceptions.Single())}]"; }
                return Done;
            case "cancel-after":
                cts.CancelAfter(source.IsClocked ? TimeSpan.FromSeconds(op[2].GetInt32()) : Never);
                return Done;
            case "disarm":
                cts.CancelAfter(Timeout.InfiniteTimeSpan);
                return Done;
            // .NET knows no handles: with another one left it is not asked.
            case "reset": return Bool(source.Handles == 1 && cts.TryReset());
            default: throw new InvalidDataException(name);
        }
    }

    /// .NET does not say whether the request was made by this call; for one thread it is whether there was none.
    static string Cancel(Source source, Action cancel)
    {
        var made = !source.Cts.IsCancellationRequested;
        cancel();
        return Bool(made);
    }

    string AskToken(string name, JsonElement number)
    {
        var (token, source) = Token(number);
        var disposed = source != null && source.IsDisposed;
        switch (name)
        {
            case "polled": return Bool(token.IsCancellationRequested);
            case "can-be-cancelled": return Mark(disposed, name, Bool(token.CanBeCanceled));
            case "check":
                try { token.ThrowIfCancellationRequested(); return "false"; }
                catch (OperationCanceledException e) { return Bool(e.CancellationToken == token); }
            case "wait":
                if (!token.IsCancellationRequested) return Void;
                try { token.WaitHandle.WaitOne(); return Done; }
                catch (ObjectDisposedException) { return Mark(disposed, name, "null"); }
            default:
                try { return Mark(disposed, name, Bool(token.WaitHandle.WaitOne(0))); }
                catch (ObjectDisposedException) { return Mark(disposed, name, "null"); }
        }
    }

    Action<CancellationToken?> Callback(CancellationToken own, JsonElement body)
    {
        var label = callbacks++;
        return given =>
        {
            var sees = own.IsCancellationRequested && (given == null || given.Value == own);
            events.Add(sees ? $"{label}" : $"[\"blind\",{label}]");
            PerformAll(body);
        };
    }

    string Register(string name, JsonElement number, JsonElement body)
    {
        var (token, source) = Token(number);
        var callback = Callback(token, body);
        var registration = name == "register"
            ? token.Register(() => callback(null))
            : token.Register((_, given) => callback(given), null);
        var kept = new Registration(registration, source);
        registrations.Add(kept);
        return Mark(kept.IsOfDisposed, name, Bool(registration == default));
    }

    string WithCallback(JsonElement number, JsonElement body, JsonElement rest)
    {
        var callback = Callback(Token(number).token, body);
        using (Token(number).token.Register(() => callback(null))) PerformAll(rest);
        return Done;
    }

    int Registration(JsonElement number)
    {
        if (registrations.Count == 0) return -1;
        var index = number.GetInt32() % registrations.Count;
        return registrations[index] == null ? -1 : index;
    }

    string RegistrationsEqual(JsonElement op)
    {
        int a = Registration(op[1]), b = Registration(op[2]);
        if (a < 0 || b < 0) return Void;
        var (left, right) = (registrations[a], registrations[b]);
        return Mark(left.IsOfDisposed || right.IsOfDisposed, "registrations-equal", Bool(left.Value == right.Value));
    }

    string WithRegistration(string name, JsonElement number)
    {
        var index = Registration(number);
        if (index < 0) return Void;
        var registration = registrations[index];
        switch (name)
        {
            case "unregister": return Mark(registration.IsOfDisposed, name, Bool(registration.Value.Unregister()));
            case "is-empty": return Mark(registration.IsOfDisposed, name, Bool(registration.Value == default));
            case "token-of":
                return Mark(registration.IsOfDisposed, name, $"[\"token\",{tokens.IndexOf(registration.Value.Token)}]");
        }
        registrations[index] = null;
        switch (name)
        {
            case "dispose":
                registration.Value.Dispose();
                return Done;
            case "dispose-async": return registration.Value.DisposeAsync().IsCompletedSuccessfully ? Done : "\"pending\"";
            default: return Done;
        }
    }
}
