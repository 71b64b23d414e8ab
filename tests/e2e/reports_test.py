# SPDX-License-Identifier: MIT
"""`mox dmarc parsereportmsg` and `mox tlsrpt parsereportmsg` on mails that Python's library makes."""
import email.message
import gzip
import io
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import zipfile

MOX = os.environ["MOX_BIN"]

XML = """<?xml version="1.0" encoding="UTF-8"?>
<feedback>
  <report_metadata><org_name>B\u00e4r GmbH</org_name><email>dmarc@reporter.example</email>
    <report_id>abc-1</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range>
  </report_metadata>
  <policy_published><domain>example.org</domain><p>reject</p><pct>100</pct></policy_published>
  <record>
    <row><source_ip>192.0.2.7</source_ip><count>42</count><policy_evaluated>
      <disposition>quarantine</disposition><dkim>fail</dkim><spf>pass</spf>
      <reason><type>forwarded</type><comment>known &#x9b;31m list</comment></reason>
    </policy_evaluated></row>
    <identifiers><header_from>example.org</header_from></identifiers>
    <auth_results><spf><domain>list.example</domain><result>pass</result></spf></auth_results>
  </record>
</feedback>
""".encode()

TLS = {
    "organization-name": "Company",
    "date-range": {"start-datetime": "2024-01-01T00:00:00Z", "end-datetime": "2024-01-01T23:59:59Z"},
    "contact-info": "tls@company.example",
    "report-id": "r-1",
    "policies": [{
        "policy": {"policy-type": "sts", "policy-string": ["version: STSv1"],
                   "policy-domain": "example.org", "mx-host": ["*.example.org"]},
        "summary": {"total-successful-session-count": 5, "total-failure-session-count": 2},
        "failure-details": [{"result-type": "certificate-expired", "sending-mta-ip": "192.0.2.9",
                             "failed-session-count": 2}],
    }],
}


def zipped(*files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for i, data in enumerate(files):
            archive.writestr(f"report{i}.xml", data)
    return out.getvalue()


def mail(subtype, data):
    m = email.message.EmailMessage()
    m["From"], m["To"], m["Subject"] = "dmarc@reporter.example", "dmarc@example.org", "Report"
    m.set_content("See attachment.\n")
    m.add_attachment(data, maintype="application", subtype=subtype, filename="report")
    return bytes(m)


def tls_mail(data=json.dumps(TLS).encode(), subtype="tlsrpt+json", report_type="tlsrpt"):
    m = email.message.EmailMessage()
    m["Subject"] = "Report"
    m.set_content("See attachment.\n")
    m.make_mixed()
    m.add_attachment(data, maintype="application", subtype=subtype)
    m.set_type("multipart/report")
    m.set_param("report-type", report_type)
    return bytes(m)


class Reports(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="mox-reports.")
        self.addCleanup(self.folder.cleanup)

    def write(self, name, data):
        path = pathlib.Path(self.folder.name, name)
        path.write_bytes(data)
        return str(path)

    def run_mox(self, *args, stdin=b""):
        done = subprocess.run([MOX, *args], input=stdin, capture_output=True, timeout=60, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def test_a_report_is_a_table_of_who_sent_what(self):
        for subtype, data in (("xml", XML), ("gzip", gzip.compress(XML)), ("zip", zipped(XML)),
                              ("octet-stream", zipped(XML))):
            code, out, err = self.run_mox("dmarc", "parsereportmsg", "-", stdin=mail(subtype, data))
            self.assertEqual((code, err), (0, ""), subtype)
            self.assertIn("organization  B\u00e4r GmbH\n", out)
            self.assertIn("period        2023-11-14T22:13:20Z to 2023-11-15T22:13:19Z\n", out)
            self.assertIn("policy        p=reject pct=100\n", out)
            row = out.splitlines()[-1]
            self.assertRegex(row, r"^42 +192\.0\.2\.7 +example\.org +- +quarantine +fail +pass +- +"
                                  r"list\.example=pass +forwarded: known \?31m list$")

    def test_json_has_the_shape_of_the_report(self):
        code, out, err = self.run_mox("dmarc", "parsereportmsg", "--json", "-",
                                      stdin=b"From x Mon Jan  1 00:00:00 2024\n" + mail("xml", XML))
        self.assertEqual((code, err), (0, ""))
        self.assertTrue(out.isascii())
        got = json.loads(out)
        self.assertEqual(got["report_metadata"]["org_name"], "B\u00e4r GmbH")
        self.assertEqual(got["report_metadata"]["date_range"], {"begin": 1700000000, "end": 1700086399})
        self.assertEqual(got["policy_published"], {"domain": "example.org", "p": "reject", "pct": 100})
        self.assertEqual(got["record"], [{
            "row": {"source_ip": "192.0.2.7", "count": 42, "policy_evaluated": {
                "disposition": "quarantine", "dkim": "fail", "spf": "pass",
                "reason": [{"type": "forwarded", "comment": "known ?31m list"}]}},
            "identifiers": {"header_from": "example.org"},
            "auth_results": {"dkim": [], "spf": [{"domain": "list.example", "result": "pass"}]}}])

    def test_a_tls_report_comes_back_in_json(self):
        for subtype, data in (("tlsrpt+json", json.dumps(TLS).encode()),
                              ("tlsrpt+gzip", gzip.compress(json.dumps(TLS).encode()))):
            code, out, err = self.run_mox("tlsrpt", "parsereportmsg", "--json", "-",
                                          stdin=tls_mail(data, subtype))
            self.assertEqual((code, err), (0, ""))
            self.assertEqual(json.loads(out), TLS)

    def test_a_tls_report_is_shown(self):
        code, out, _ = self.run_mox("tlsrpt", "parsereportmsg", self.write("tls.eml", tls_mail()))
        self.assertEqual(code, 0)
        self.assertIn("sessions      5 succeeded, 2 failed\n", out)
        self.assertRegex(out.splitlines()[-1], r"^2 +certificate-expired +192\.0\.2\.9 +- +- +- +- +-$")

    def test_each_file_is_shown_and_failures_are_said(self):
        good = self.write("good.eml", mail("xml", XML))
        bad = self.write("two.eml", mail("zip", zipped(XML, XML)))
        code, out, err = self.run_mox("dmarc", "parsereportmsg", bad, good, self.folder.name + "/none")
        self.assertEqual(code, 1)
        self.assertIn("192.0.2.7", out)
        self.assertIn(f"{bad}: read DMARC report: its zip file holds 2 files, not one", err)
        self.assertIn("none: No such file", err)

    def test_what_is_no_report_is_refused(self):
        for args, message, why in (
                ("dmarc", tls_mail(), "no part"),
                ("tlsrpt", mail("xml", XML), "no part"),
                ("tlsrpt", tls_mail(report_type="delivery-status"), "report on something else"),
                ("dmarc", mail("gzip", gzip.compress(bytes(30 << 20))), "larger than 20971520 bytes"),
                ("dmarc", mail("gzip", gzip.compress(XML)[:-9]), "cut short"),
                ("dmarc", b"", "no part")):
            code, out, err = self.run_mox(args, "parsereportmsg", "-", stdin=message)
            self.assertEqual((code, out), (1, ""))
            self.assertIn(why, err)
        self.assertEqual(self.run_mox("dmarc", "parsereportmsg")[0], 2)


if __name__ == "__main__":
    unittest.main()
