// Walks down the letters: how many words of numbers up to N begin with a prefix, and how long they are together, is
// counted group by group (milliards, millions, thousands, ones).
#include <array>
#include <iostream>
#include <string>

using Letters = unsigned long long;

struct Count {
    Letters words, letters;
};

static std::array<std::array<std::string, 1000>, 4> words;
static std::array<Count, 5> all;
static std::array<int, 4> bound;

static std::string spoken(int value, const std::string &one) {
    static const std::string ones[] = {"", "", "tva", "tre", "fyra", "fem", "sex", "sju", "atta", "nio", "tio", "elva", "tolv", "tretton", "fjorton", "femton", "sexton", "sjutton", "arton", "nitton"};
    static const std::string tens[] = {"", "", "tjugo", "trettio", "fyrtio", "femtio", "sextio", "sjuttio", "attio", "nittio"};
    std::string text;
    if (value >= 100) text += (value / 100 == 1 ? "ett" : ones[value / 100]) + "hundra";
    int rest = value % 100;
    if (rest >= 20) {
        text += tens[rest / 10];
        rest %= 10;
    }
    return text + (rest == 1 ? one : ones[rest]);
}

static Count starting(int group, const std::string &prefix, bool tight) {
    if (group == 4) return prefix.empty() ? Count{1, 0} : Count{0, 0};
    if (prefix.empty() && !tight) return all[group];
    Count sum = {0, 0};
    int last = tight ? bound[group] : 999;
    for (int value = 0; value <= last; value++) {
        const std::string &word = words[group][value];
        std::string rest;
        if (word.compare(0, prefix.size(), prefix) != 0) {
            if (prefix.compare(0, word.size(), word) != 0) continue;
            rest = prefix.substr(word.size());
        }
        Count below = starting(group + 1, rest, tight && value == last);
        sum.words += below.words;
        sum.letters += below.letters + below.words * word.size();
    }
    return sum;
}

static char letter(Letters k) {
    std::string prefix;
    for (;;) {
        std::array<Count, 26> next;
        Letters longer = 0;
        for (int c = 0; c < 26; c++) {
            next[c] = starting(0, prefix + char('a' + c), true);
            longer += next[c].words;
        }
        if (!prefix.empty() && starting(0, prefix, true).words > longer) {
            if (k <= prefix.size()) return prefix[k - 1];
            k -= prefix.size();
        }
        int c = 0;
        while (c < 25 && k > next[c].letters) k -= next[c++].letters;
        prefix += char('a' + c);
    }
}

int main() {
    Letters n, k;
    if (!(std::cin >> n >> k)) return 1;
    static const std::string units[] = {"miljard", "miljon", "tusen", ""};
    for (int group = 0; group < 4; group++) {
        for (int value = 1; value < 1000; value++) {
            std::string &word = words[group][value];
            word = spoken(value, group == 3 ? "ett" : "en") + units[group];
            if (group < 2 && value > 1) word += "er";
            if (group == 2 && value == 1) word = "ettusen";
        }
    }
    Letters rest = n;
    for (int group = 4; group-- > 0; rest /= 1000) bound[group] = int(rest % 1000);
    all[4] = {1, 0};
    for (int group = 4; group-- > 0;) {
        Letters length = 0;
        for (const std::string &word : words[group]) length += word.size();
        all[group] = {1000 * all[group + 1].words, 1000 * all[group + 1].letters + all[group + 1].words * length};
    }
    for (Letters i = 0; i < 3; i++) std::cout << letter(k + i);
    std::cout << std::endl;
}
