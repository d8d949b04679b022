// Package language knows the codes of languages (ISO 639-1 and 639-2), of which
// several may mean the same one.
package language

import (
	"fmt"
	"strings"
)

// languages are the codes of ISO 639-1 with their terminological ones of ISO
// 639-2.
const languages = "aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul bi:bis " +
	"bm:bam bn:ben bo:bod br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:ces cu:chu cv:chv cy:cym da:dan de:deu dv:div " +
	"dz:dzo ee:ewe el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas ff:ful fi:fin fj:fij fo:fao fr:fra fy:fry ga:gle gd:gla " +
	"gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin ho:hmo hr:hrv ht:hat hu:hun hy:hye hz:her ia:ina id:ind ie:ile ig:ibo " +
	"ii:iii ik:ipk io:ido is:isl it:ita iu:iku ja:jpn jv:jav ka:kat kg:kon ki:kik kj:kua kk:kaz kl:kal km:khm kn:kan ko:kor " +
	"kr:kau ks:kas ku:kur kv:kom kw:cor ky:kir la:lat lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lu:lub lv:lav mg:mlg mh:mah " +
	"mi:mri mk:mkd ml:mal mn:mon mr:mar ms:msa mt:mlt my:mya na:nau nb:nob nd:nde ne:nep ng:ndo nl:nld nn:nno no:nor nr:nbl " +
	"nv:nav ny:nya oc:oci oj:oji om:orm or:ori os:oss pa:pan pi:pli pl:pol ps:pus pt:por qu:que rm:roh rn:run ro:ron ru:rus " +
	"rw:kin sa:san sc:srd sd:snd se:sme sg:sag si:sin sk:slk sl:slv sm:smo sn:sna so:som sq:sqi sr:srp ss:ssw st:sot su:sun " +
	"sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl tn:tsn to:ton tr:tur ts:tso tt:tat tw:twi ty:tah ug:uig " +
	"uk:ukr ur:urd uz:uzb ve:ven vi:vie vo:vol wa:wln wo:wol xh:xho yi:yid yo:yor za:zha zh:zho zu:zul"

// bibliographic are the codes of ISO 639-2 that have a second form, with the
// terminological one.
const bibliographic = "alb:sqi arm:hye baq:eus bur:mya chi:zho cze:ces dut:nld fre:fra geo:kat ger:deu gre:ell ice:isl mac:mkd " +
	"mao:mri may:msa per:fas rum:ron slo:slk tib:bod wel:cym"

// alpha3 maps what has another form to its terminological code.
var alpha3 = func() map[string]string {
	m := map[string]string{}
	for pair := range strings.FieldsSeq(languages + " " + bibliographic) {
		from, to, _ := strings.Cut(pair, ":")
		m[from] = to
	}
	return m
}()

// Alpha3 returns the code of ISO 639-2 (terminological) of a language, as the
// header of an mp4 track has it. Three letters that have no other form are
// returned as they are, in lower case; anything but a known code of two letters
// or three letters is an error.
func Alpha3(language string) (string, error) {
	lower := strings.ToLower(language)
	if code, ok := alpha3[lower]; ok {
		return code, nil
	}
	if len(lower) == 3 && strings.Trim(lower, "abcdefghijklmnopqrstuvwxyz") == "" {
		return lower, nil
	}
	return "", fmt.Errorf("language %.40q is no code of ISO 639; want two letters like en or three like eng", language)
}

// Same says whether two codes mean one language: en and eng, de and ger.
func Same(a, b string) bool {
	x, err1 := Alpha3(a)
	y, err2 := Alpha3(b)
	if err1 != nil || err2 != nil {
		return a == b
	}
	return x == y
}
