import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.apache.ws.security.WSConstants;
import org.apache.ws.security.WSDataRef;
import org.apache.ws.security.WSDocInfo;
import org.apache.ws.security.WSEncryptionPart;
import org.apache.ws.security.WSSConfig;
import org.apache.ws.security.WSSecurityEngine;
import org.apache.ws.security.WSSecurityEngineResult;
import org.apache.ws.security.components.crypto.Merlin;
import org.apache.ws.security.message.DOMCallbackLookup;
import org.apache.ws.security.message.WSSecHeader;
import org.apache.ws.security.message.WSSecSignature;
import org.apache.ws.security.message.WSSecTimestamp;
import org.apache.ws.security.transform.STRTransform;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * A SOAP service whose security is WSS4J's: it verifies each request and signs each answer.
 *
 * <p>Arguments: the authorities (PEM), its own identity (PKCS#12) and its password. Prints its port. The path says how
 * the answer names its certificate, the query how the digest is made. The answer tells what the request signed.
 */
public final class Wss4jPeer {
    private static final String WSA = "http://www.w3.org/2005/08/addressing";
    private static final String SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
    private static final String SAML = "urn:oasis:names:tc:SAML:2.0:assertion";
    private static final Merlin CRYPTO = new Merlin();
    private static String alias;
    private static String password;

    public static void main(String[] arguments) throws Exception {
        WSSConfig.init();
        password = arguments[2];
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (InputStream file = new FileInputStream(arguments[0])) {
            int number = 0;
            for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
                trusted.setCertificateEntry("ca" + number++, one);
            }
        }
        KeyStore own = KeyStore.getInstance("PKCS12");
        try (InputStream file = new FileInputStream(arguments[1])) {
            own.load(file, password.toCharArray());
        }
        alias = own.aliases().nextElement();
        CRYPTO.setKeyStore(own);
        CRYPTO.setTrustStore(trusted);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", Wss4jPeer::handle);
        server.start();
        System.out.println(server.getAddress().getPort());
        System.in.read(); // until the test closes the pipe
        server.stop(0);
    }

    private static void handle(HttpExchange exchange) {
        byte[] answer;
        int status = 200;
        try {
            Document request = parse(exchange.getRequestBody().readAllBytes());
            boolean token = request.getElementsByTagNameNS(SAML, "Assertion").getLength() > 0;
            String covered = token ? verifyWithToken(request) : verify(request);
            answer = answer(request, covered, exchange.getRequestURI().getPath(), exchange.getRequestURI().getQuery());
        } catch (Exception error) {
            status = 500;
            answer = ("<e:Envelope xmlns:e='" + SOAP + "'><e:Body><e:Fault><faultcode xmlns:w='" + WSConstants.WSSE_NS
                + "'>w:FailedCheck</faultcode><faultstring>no</faultstring></e:Fault></e:Body></e:Envelope>")
                .getBytes(StandardCharsets.UTF_8);
            System.err.println(error);
        }
        try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", "text/xml; charset=utf-8");
            exchange.sendResponseHeaders(status, answer.length);
            exchange.getResponseBody().write(answer);
        } catch (java.io.IOException error) {
            System.err.println(error);
        }
    }

    /** The names of what is signed, sorted. */
    private static String verify(Document request) throws Exception {
        List<WSSecurityEngineResult> results =
            new WSSecurityEngine().processSecurityHeader(request, null, null, CRYPTO);
        TreeSet<String> names = new TreeSet<>();
        for (WSSecurityEngineResult result : results) {
            Object references = result.get(WSSecurityEngineResult.TAG_DATA_REF_URIS);
            if (references instanceof List<?> list) {
                for (Object one : list) {
                    names.add(((WSDataRef) one).getName().getLocalPart());
                }
            }
        }
        return String.join(" ", names);
    }

    /**
     * The same for a message signed with a SAML token, which Debian's WSS4J has no processor for: WSS4J's STR-Transform
     * finds and digests the token, and the key is that of the certificate in it.
     */
    private static String verifyWithToken(Document request) throws Exception {
        Element token = (Element) request.getElementsByTagNameNS(SAML, "Assertion").item(0);
        String base64 = ((Element) token.getElementsByTagNameNS(SAML, "SubjectConfirmationData").item(0))
            .getElementsByTagNameNS(XMLSignature.XMLNS, "X509Certificate").item(0).getTextContent();
        Certificate holder = CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(Base64.getMimeDecoder().decode(base64)));
        WSDocInfo found = new WSDocInfo(request);
        found.setCallbackLookup(new DOMCallbackLookup(request));
        found.addTokenElement(token);
        Node signed = token.getParentNode().getLastChild();
        DOMValidateContext context = new DOMValidateContext(holder.getPublicKey(), signed);
        context.setProperty(STRTransform.TRANSFORM_WS_DOC_INFO, found);
        Map<String, String> names = new HashMap<>();
        NodeList elements = request.getElementsByTagName("*");
        for (int at = 0; at < elements.getLength(); at++) {
            Element element = (Element) elements.item(at);
            if (element.hasAttributeNS(WSConstants.WSU_NS, "Id")) {
                context.setIdAttributeNS(element, WSConstants.WSU_NS, "Id");
                names.put("#" + element.getAttributeNS(WSConstants.WSU_NS, "Id"), element.getLocalName());
            }
        }
        XMLSignature signature = XMLSignatureFactory.getInstance("DOM", "ApacheXMLDSig").unmarshalXMLSignature(context);
        if (!signature.validate(context)) {
            throw new SecurityException("the signature does not hold");
        }
        TreeSet<String> covered = new TreeSet<>();
        for (Object one : signature.getSignedInfo().getReferences()) {
            covered.add(names.get(((Reference) one).getURI()));
        }
        return String.join(" ", covered);
    }

    private static byte[] answer(Document request, String covered, String path, String query) throws Exception {
        String id = request.getElementsByTagNameNS(WSA, "MessageID").item(0).getTextContent();
        String side = request.getElementsByTagNameNS("urn:x", "Id").item(0).getTextContent();
        Document answer = parse(("<s:Envelope xmlns:s='" + SOAP + "' xmlns:a='" + WSA + "'><s:Header><a:RelatesTo>" + id
            + "</a:RelatesTo></s:Header><s:Body><p:HentResponse xmlns:p='urn:x'><p:Status>20</p:Status><p:Sag><p:Id/>"
            + "</p:Sag><p:Sag><p:Id/></p:Sag></p:HentResponse></s:Body></s:Envelope>")
            .getBytes(StandardCharsets.UTF_8));
        answer.getElementsByTagNameNS("urn:x", "Id").item(0).setTextContent(side);
        answer.getElementsByTagNameNS("urn:x", "Id").item(1).setTextContent(covered);
        WSSecHeader header = new WSSecHeader();
        header.insertSecurityHeader(answer);
        WSSecTimestamp timestamp = new WSSecTimestamp();
        timestamp.setTimeToLive(300);
        timestamp.build(answer, header);
        WSSecSignature signature = new WSSecSignature();
        signature.setUserInfo(alias, password);
        signature.setSignatureAlgorithm("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256");
        signature.setDigestAlgo("sha1".equals(query) ? WSConstants.SHA1 : WSConstants.SHA256);
        signature.setKeyIdentifierType(switch (path) {
            case "/serial" -> WSConstants.ISSUER_SERIAL;
            case "/thumbprint" -> WSConstants.THUMBPRINT_IDENTIFIER;
            case "/ski" -> WSConstants.SKI_KEY_IDENTIFIER;
            case "/embedded" -> WSConstants.X509_KEY_IDENTIFIER;
            default -> WSConstants.BST_DIRECT_REFERENCE;
        });
        List<WSEncryptionPart> parts = new ArrayList<>();
        parts.add(new WSEncryptionPart("Body", SOAP, "Content"));
        parts.add(new WSEncryptionPart("Timestamp", WSConstants.WSU_NS, "Content"));
        parts.add(new WSEncryptionPart("RelatesTo", WSA, "Content"));
        if ("/token".equals(path)) {
            parts.add(new WSEncryptionPart("STRTransform", "", "Content"));
        }
        signature.setParts(parts);
        signature.build(answer, CRYPTO, header);
        return write(answer);
    }

    private static Document parse(byte[] data) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(new ByteArrayInputStream(data));
    }

    private static byte[] write(Document document) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        TransformerFactory.newInstance().newTransformer().transform(new DOMSource(document), new StreamResult(out));
        return out.toByteArray();
    }

    private Wss4jPeer() {
    }
}
