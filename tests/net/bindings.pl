#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What OpenSSL says a channel is bound to: bindings.pl PORT 1.2|1.3
#
# Talks to the server of echo.c, and fails unless the server says the same. Exit status 77: one of them
# does not do that version.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use IO::Socket::INET;
use MIME::Base64;
use Net::SSLeay;

my ($port, $version) = @ARGV;
my $label = "EXPORTER-Channel-Binding";
my $wanted = $version eq "1.3" ? Net::SSLeay::TLS1_3_VERSION() : Net::SSLeay::TLS1_2_VERSION();
my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port) or die "connect: $!";
my $context = Net::SSLeay::CTX_new_with_method(Net::SSLeay::TLS_client_method()) or die;
Net::SSLeay::CTX_set_min_proto_version($context, $wanted) or exit 77;
Net::SSLeay::CTX_set_max_proto_version($context, $wanted) or exit 77;
my $ssl = Net::SSLeay::new($context) or die;
Net::SSLeay::set_fd($ssl, fileno($socket));
Net::SSLeay::connect($ssl) == 1 or exit($version eq "1.3" ? 77 : 1);

my $certificate = Net::SSLeay::PEM_get_string_X509(Net::SSLeay::get_peer_certificate($ssl));
$certificate =~ s/-----.*-----\n//g;
my $ours = uc join "\n",
    unpack("H*", Net::SSLeay::export_keying_material($ssl, 32, $label)),
    unpack("H*", Net::SSLeay::export_keying_material($ssl, 32, $label, "")),
    sha256_hex(MIME::Base64::decode_base64($certificate));

Net::SSLeay::write($ssl, "BINDINGS\nQUIT\n");
my $theirs = Net::SSLeay::ssl_read_until($ssl, "bye\n");
die "OpenSSL says\n$ours\nthe server\n$theirs" if $theirs ne "$ours\nbye\n";

my @exporters = split /\n/, $ours;
die "TLS 1.2 alone tells an empty context from none\n$ours\n"
    if ($exporters[0] eq $exporters[1]) != ($version eq "1.3");
