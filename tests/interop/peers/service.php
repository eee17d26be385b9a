<?php
// PHP's SoapServer behind the contract in $SAMSPIL_WSDL. Echoes what it was sent; "fault" and "mange" do what they say.
ini_set('soap.wsdl_cache_enabled', '0');

class Service
{
    public function Hent(object $request): array
    {
        $id = $request->Id ?? '';
        if ($id === 'fault') {
            throw new SoapFault('Client', '010150-1234', null,
                new SoapVar('<detail><ErrorCode>1014</ErrorCode></detail>', XSD_ANYXML));
        }
        $cases = [];
        if (str_starts_with($id, 'mange')) {
            for ($number = 0; $number < (int) substr($id, 5); $number++) {
                $cases[] = ['Id' => "sag-$number æøå <&>"];
            }
        } else {
            $cases[] = ['Id' => $id, 'Fil' => $request->Fil ?? null];
            $more = $request->Sag ?? [];
            foreach (is_array($more) ? $more : [$more] as $case) {
                $cases[] = ['Id' => $case->Id];
            }
        }
        return ['Status' => '20', 'Sag' => $cases, 'Antal' => count($cases)];
    }
}

$server = new SoapServer(getenv('SAMSPIL_WSDL'), ['features' => SOAP_SINGLE_ELEMENT_ARRAYS]);
$server->setClass('Service');
$server->handle();
