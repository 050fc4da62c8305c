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
    readonly TimeProvider _clock;
    readonly ILogger _log;
    readonly Lock _lock = new();
    TlsIdentity _identity;
    (DateTime, DateTime) _written;
    long _checkedAt;

    /// <summary>Loads the certificate. Throws <see cref="IOException"/>, <see cref="UnauthorizedAccessException"/> or
    /// <see cref="CryptographicException"/> when it cannot be.</summary>
    /// <param name="certFile">PEM file with the certificate and its chain.</param>
    /// <param name="keyFile">PEM file with the key; the same as <paramref name="certFile"/> when it is in
    /// there.</param>
    /// <param name="clock">Tells when to look again.</param>
    /// <param name="log">Where reloading is told.</param>
    public CertificateSource(string certFile, string keyFile, TimeProvider clock, ILogger log)
    {
        (_certFile, _keyFile, _clock, _log) = (certFile, keyFile, clock, log);
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

    void Reload((DateTime, DateTime) written)
    {
        try
        {
            _identity = Load();
            _written = written;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
        {
            // A renewal that is half written is tried again at the next look.
            _log.CertificateNotLoaded(_certFile, error.Message);
        }
    }

    TlsIdentity Load()
    {
        var certificate = X509Certificate2.CreateFromPemFile(_certFile, _keyFile);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(_certFile);
        _log.CertificateLoaded(_certFile, new DateTimeOffset(certificate.NotAfter));
        // offline: the chain is what the file says; nothing is fetched while a client waits.
        return new(SslStreamCertificateContext.Create(certificate, chain, offline: true),
            ChannelBinding.TlsServerEndPoint(certificate.RawData));
    }

    (DateTime, DateTime) LastWritten() => (File.GetLastWriteTimeUtc(_certFile), File.GetLastWriteTimeUtc(_keyFile));
}
