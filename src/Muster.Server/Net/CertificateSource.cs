using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Muster.Protocol.Sasl;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <summary>A certificate ready to be shown, with what channel binding needs of it.</summary>
/// <param name="Context">The certificate, its key and the chain.</param>
/// <param name="ChannelBinding">Data of tls-server-end-point, or null when it is undefined for this
/// certificate.</param>
sealed record TlsIdentity(SslStreamCertificateContext Context, byte[]? ChannelBinding);

/// <summary>A certificate in files, loaded afresh when they change, so that a renewal needs no restart.</summary>
/// <remarks>The files are looked at when somebody connects, at most every few seconds: no watcher, no timer.</remarks>
sealed class CertificateSource
{
    static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(5);

    readonly string _certFile, _keyFile;
    readonly string? _password;
    readonly TimeProvider _clock;
    readonly ILogger _log;
    readonly Lock _lock = new();
    TlsIdentity _identity;
    (DateTime, DateTime) _written;
    long _checkedAt;

    /// <summary>Loads the certificate. Throws what <see cref="IsUnreadable"/> knows when it cannot be.</summary>
    /// <param name="certFile">PEM file with the certificate and its chain.</param>
    /// <param name="keyFile">PEM file with the key; the same as <paramref name="certFile"/> when it is in
    /// there.</param>
    /// <param name="password">Password of the key, or null when it is not encrypted.</param>
    /// <param name="clock">Tells when to look again.</param>
    /// <param name="log">Where reloading is told.</param>
    public CertificateSource(string certFile, string keyFile, string? password, TimeProvider clock, ILogger log)
    {
        (_certFile, _keyFile, _password, _clock, _log) = (certFile, keyFile, password, clock, log);
        _written = LastWritten();
        _checkedAt = clock.GetTimestamp();
        _identity = Load();
    }

    /// <summary>The certificate as it is in the files now, or a few seconds ago.</summary>
    public TlsIdentity Current
    {
        get
        {
            lock (_lock)
            {
                if (_clock.GetElapsedTime(_checkedAt) < CheckEvery) return _identity;
                _checkedAt = _clock.GetTimestamp();
                var written = LastWritten();
                if (written != _written) Reload(written);
                return _identity;
            }
        }
    }

    /// <summary>What is thrown when a certificate cannot be loaded.</summary>
    public static bool IsUnreadable(Exception error) =>
        error is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException;

    void Reload((DateTime, DateTime) written)
    {
        try
        {
            _identity = Load();
            _written = written;
        }
        catch (Exception error) when (IsUnreadable(error))
        {
            // A renewal that is half written is tried again at the next look.
            _log.CertificateNotLoaded(_certFile, error.Message);
        }
    }

    TlsIdentity Load()
    {
        var certificate = _password is null
            ? X509Certificate2.CreateFromPemFile(_certFile, _keyFile)
            : X509Certificate2.CreateFromEncryptedPemFile(_certFile, _password, _keyFile);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(_certFile);
        _log.CertificateLoaded(_certFile, new DateTimeOffset(certificate.NotAfter));
        // offline: the chain is what the file says; nothing is fetched while a client waits.
        return new(SslStreamCertificateContext.Create(certificate, chain, offline: true),
            ChannelBinding.TlsServerEndPoint(certificate.RawData));
    }

    (DateTime, DateTime) LastWritten() => (File.GetLastWriteTimeUtc(_certFile), File.GetLastWriteTimeUtc(_keyFile));
}
