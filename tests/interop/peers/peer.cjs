// node-soap, and xml-crypto below it. The first argument says what to do; answers are JSON lines.
const fs = require('fs');
const http = require('http');
const soap = require('soap');
const { SignedXml } = require('xml-crypto');
const { DOMParser } = require('@xmldom/xmldom');

const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
const DS = 'http://www.w3.org/2000/09/xmldsig#';
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const tell = (value) => process.stdout.write(JSON.stringify(value) + '\n');
const untilClosed = (server) => process.stdin.on('end', () => process.exit(0)).resume() && server;

/** What xml-crypto says a message signs: the names of the elements, or why it does not hold. */
function verified(xml, certificate) {
  const document = new DOMParser().parseFromString(xml, 'text/xml');
  const signature = document.getElementsByTagNameNS(DS, 'Signature')[0];
  if (!signature) {
    return 'no signature';
  }
  const signed = new SignedXml({ publicCert: certificate, idMode: 'wssecurity', getCertFromKeyInfo: () => null });
  signed.loadSignature(signature);
  try {
    if (!signed.checkSignature(xml)) {
      return 'does not hold';
    }
  } catch (error) {
    return 'does not hold';
  }
  const names = signed.getSignedReferences().map((one) => new DOMParser().parseFromString(one, 'text/xml'));
  return names.map((one) => one.documentElement.localName).sort().join(' ');
}

const actions = {
  /** serve <wsdl> <certificate>: a SOAP server that tells in its answer what each request signs. */
  serve(wsdl, certificate) {
    let last = '';
    const service = {
      Service: { Port: { Hent: (args) => ({ Status: '20', Sag: [{ Id: args.Id }, { Id: last }], Antal: 2 }) } },
    };
    const server = http.createServer((request, response) => response.writeHead(404).end());
    server.listen(0, '127.0.0.1', () => {
      const listening = soap.listen(server, '/s', service, fs.readFileSync(wsdl, 'utf8'), () => {
        tell({ port: server.address().port });
      });
      listening.log = (type, data) => {
        if (type === 'received') {
          last = verified(data, fs.readFileSync(certificate, 'utf8'));
        }
      };
      listening.wsdl.uri = wsdl;
    });
    untilClosed(server);
  },

  /** call <wsdl> <url> <key> <certificate>: a client that signs as WSSecurityCert does, with our addressing headers. */
  async call(wsdl, url, key, certificate) {
    const client = await soap.createClientAsync(wsdl, { endpoint: url });
    client.addSoapHeader(
      '<a:MessageID xmlns:a="http://www.w3.org/2005/08/addressing">urn:uuid:fra-node</a:MessageID>',
    );
    const security = new soap.WSSecurityCert(fs.readFileSync(key), fs.readFileSync(certificate), '', {
      hasTimeStamp: true,
      signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
      digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
      signatureTransformations: [EXCLUSIVE],
      additionalReferences: ['a:MessageID'],
      signerOptions: { prefix: 'ds', idMode: 'wssecurity', existingPrefixes: { wsse: WSSE } },
    });
    security.signer.idMode = 'wssecurity';
    client.setSecurity(security);
    const [result, raw] = await client.HentAsync({ Id: 'æøå <&>' });
    tell({ result, signed: verified(raw, process.env.SAMSPIL_THEIRS && fs.readFileSync(process.env.SAMSPIL_THEIRS, 'utf8')) });
  },

  /** attach <wsdl> <url> <file>: a client that sends an attachment by MTOM and reads the ones of the answer. */
  async attach(wsdl, url, file) {
    const client = await soap.createClientAsync(wsdl, { endpoint: url, parseReponseAttachments: true });
    const body = fs.readFileSync(file);
    const include = '<i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="cid:fil@node"/>';
    const attachments = [{ mimetype: 'application/pdf', contentId: 'fil@node', name: 'fil.pdf', body }];
    const found = await client.HentAsync({ Id: '1', Fil: { $xml: include } }, { attachments });
    tell({
      result: found[0],
      parts: found[4].parts.map((one) => ({ id: one.headers['content-id'], body: one.body.toString('base64') })),
    });
  },
};

Promise.resolve(actions[process.argv[2]](...process.argv.slice(3))).catch((error) => {
  process.stderr.write(String(error && error.stack) + '\n');
  process.exit(1);
});
