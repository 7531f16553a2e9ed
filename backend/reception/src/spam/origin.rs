//! Whose a message is, as far as that was proved: now by what was found, later by what we wrote into its header then.

use std::net::IpAddr;

use relais_message::{Authors, fields, header_octets};
use relais_model::{Address, Domain};
use relais_msgauth::dkim::DkimResult;
use relais_msgauth::results::said_by_us;
use relais_store::Origin;

use crate::network::Network;
use crate::proof::Proof;

/// By what was found of a message that comes in. A network is believed that brings what nobody disowns.
pub(super) fn found(proof: &Proof, peer: IpAddr, author: Option<&Address>) -> Origin {
    let passes = proof.authentication.dkim.iter().find(|check| check.result == DkimResult::Pass);
    let signer = passes.and_then(|check| check.signature.as_ref()).map(|signature| signature.domain.as_str());
    Origin {
        author: author.filter(|_| proof.is_proven()).cloned(),
        signer: signer.and_then(|name| Domain::parse(name).ok()),
        network: (!proof.is_disowned()).then(|| network(peer)),
    }
}

/// By the header of a message that is here: what stands above our Received field is ours, and only there. Nothing is said of mail that no author's domain
/// stood behind.
pub(super) fn kept(raw: &[u8]) -> Origin {
    let header = raw.get(..header_octets(raw)).unwrap_or_default();
    let ours =
        fields(header).take_while(|field| !field.is("Received")).find(|field| field.is("Authentication-Results"));
    let has_received = fields(header).any(|field| field.is("Received"));
    let Some(found) = ours.filter(|_| has_received) else { return Origin::default() };
    let said = |method, property| said_by_us(found.value, method, property);
    if said("dmarc=pass", "header.from").is_none() {
        return Origin::default();
    }
    let peer = said("iprev=", "policy.iprev").and_then(|peer| peer.parse().ok());
    Origin {
        author: Authors::read(header).from.into_iter().next(),
        signer: said("dkim=pass", "header.d").and_then(|name| Domain::parse(&name).ok()),
        network: peer.map(network),
    }
}

fn network(peer: IpAddr) -> String {
    Network::of_neighbours(peer).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_wrote_is_read_again_and_nothing_that_others_wrote() {
        let ours = |dmarc: &str, peer: &str| {
            format!(
                "Return-Path: <x@shop.example>\r\nARC-Seal: i=1; x\r\nAuthentication-Results: mx.example.org;\r\n\tiprev=pass policy.iprev={peer};\r\n\t\
                 spf=pass smtp.mailfrom=x@shop.example;\r\n\tdkim=fail header.d=other.example;\r\n\tdkim=pass header.d=shop.example header.s=a;\r\n\t\
                 dmarc={dmarc} (p=reject) header.from=shop.example;\r\n\tarc=none\r\n"
            )
        };
        let message = "Received: from a by mx.example.org\r\nFrom: Dora <dora@shop.example>\r\n\r\nHello.\r\n";
        let forged = "Authentication-Results: mx.example.org;\r\n\tdmarc=pass header.from=shop.example\r\n";
        let shown = |head: &str| {
            let origin = kept(format!("{head}{message}").as_bytes());
            let author = origin.author.map(|author| author.to_string());
            (author, origin.signer.map(|signer| signer.to_string()), origin.network)
        };
        let whole = |network: &str| {
            let [author, signer, network] = ["dora@shop.example", "shop.example", network].map(str::to_owned);
            (Some(author), Some(signer), Some(network))
        };
        assert_eq!(shown(&ours("pass", "192.0.2.7")), whole("192.0.2.0/24"));
        assert_eq!(shown(&ours("pass", "\"2001:db8::7\"")), whole("2001:db8::/64"));
        assert_eq!(shown(&ours("fail", "192.0.2.7")), (None, None, None));
        assert_eq!(shown(&format!("Return-Path: <>\r\nReceived: from b by mx\r\n{forged}")), (None, None, None));
        assert_eq!(kept(forged.as_bytes()), Origin::default(), "no Received of ours stands below");
    }
}
